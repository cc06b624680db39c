-- The HTML of a report's page. The script fills in the rest. {{title}} and {{summary}} are escaped.
return [==[
<a class="skip" href="#devices">Skip to the devices</a>
<header>
<div class="names"><h1>{{title}}</h1><p id="when" class="dim"></p></div>
<div class="themes" role="group" aria-label="Colours">
<button type="button" data-theme="auto" aria-pressed="true">Auto</button>
<button type="button" data-theme="light" aria-pressed="false">Light</button>
<button type="button" data-theme="dark" aria-pressed="false">Dark</button>
</div>
</header>
<main>
<section aria-labelledby="h-summary">
<h2 id="h-summary" class="unseen">Summary</h2>
<p id="verdict" class="verdict">{{summary}}</p>
<noscript><p>The devices are shown by a script, which this browser does not run.</p></noscript>
<dl id="figures" class="figures"></dl>
</section>
<nav id="contents" aria-label="Parts of the report"></nav>
<section id="errors" aria-labelledby="h-errors" hidden>
<h2 id="h-errors">Errors</h2>
<div class="scroll" id="error-list"></div>
</section>
<section id="devices" aria-labelledby="h-devices" tabindex="-1">
<h2 id="h-devices">Devices</h2>
<div class="tools" role="search" aria-label="Devices">
<input id="search" type="search" placeholder="Filter by name, result, path or line"
 aria-label="Filter by name, result, path or line" autocomplete="off" spellcheck="false">
<div id="states" class="states" role="group" aria-label="Filter by state"></div>
<span id="shown" class="dim" role="status"></span>
</div>
<div id="view" class="view" role="region" aria-labelledby="h-devices" tabindex="0">
<table id="table" class="devices" aria-labelledby="h-devices">
<thead><tr id="heads"></tr></thead>
<tbody id="rows"></tbody>
</table>
</div>
<p id="legend" class="legend dim" aria-hidden="true"><span class="key"><i class="call"></i> call</span>
<span class="key"><i class="bad"></i> failed call</span>
<span class="key"><i class="wait"></i> wait before a retry</span>
<span class="key"><i class="queue"></i> in the queue</span></p>
</section>
<section id="changes" aria-labelledby="h-changes" hidden>
<h2 id="h-changes">Changes</h2>
<p id="change-note" class="dim"></p>
<div id="change-list"></div>
</section>
<section id="slow" aria-labelledby="h-slow" hidden>
<h2 id="h-slow">Slowest calls</h2>
<div class="scroll" id="slow-list"></div>
</section>
</main>
<footer class="dim" id="foot"></footer>
]==]
