-- The TCP profiles of a new device: what each has of its own, the rest comes from its parent.
local OBJECTS <const> = { { name = "tcp" } }

for _, entry in ipairs {
  {
    "f5-tcp-lan", "tcp",
    { initCwnd = 16, initRwnd = 16, minimumRto = 200, nagle = "auto", sendBufferSize = 65535 },
  },
  {
    "f5-tcp-mobile", "tcp",
    {
      congestionControl = "woodside", initCwnd = 16, nagle = "auto", proxyBufferHigh = 262144,
      proxyBufferLow = 196608, receiveWindowSize = 131072, sendBufferSize = 262144,
    },
  },
  {
    "f5-tcp-progressive", "tcp",
    {
      autoProxyBufferSize = "enabled", autoReceiveWindowSize = "enabled",
      autoSendBufferSize = "enabled", congestionControl = "woodside", initCwnd = 16, initRwnd = 16,
      nagle = "auto", proxyBufferHigh = 262144, proxyBufferLow = 196608, pushFlag = "auto",
      receiveWindowSize = 131072, sendBufferSize = 262144,
    },
  },
  {
    "f5-tcp-wan", "tcp",
    {
      congestionControl = "woodside", delayedAcks = "disabled", minimumRto = 500, nagle = "auto",
      proxyBufferHigh = 262144, proxyBufferLow = 196608, receiveWindowSize = 131072,
      sendBufferSize = 262144,
    },
  },
  {
    "tcp-legacy", "tcp",
    {
      earlyRetransmit = "disabled", ecn = "disabled", enhancedLossRecovery = "disabled",
      fastOpen = "disabled", initCwnd = 3, initRwnd = 3, proxyBufferHigh = 49152,
      proxyOptions = "enabled", ratePace = "disabled", sendBufferSize = 65535,
      tailLossProbe = "disabled",
    },
  },
  {
    "tcp-lan-optimized", "tcp-legacy",
    { proxyBufferHigh = 131072, proxyBufferLow = 98304, slowStart = "disabled" },
  },
  {
    "tcp-mobile-optimized", "tcp-legacy",
    {
      abc = "disabled", delayedAcks = "disabled", ecn = "enabled", initCwnd = 16,
      nagle = "enabled", proxyBufferHigh = 131072, proxyBufferLow = 131072,
      receiveWindowSize = 131072, resetOnTimeout = "disabled", sendBufferSize = 131072,
    },
  },
  {
    "tcp-wan-optimized", "tcp-legacy",
    { nagle = "enabled", proxyBufferHigh = 131072, proxyBufferLow = 131072 },
  },
  {
    "mptcp-mobile-optimized", "tcp-legacy",
    {
      abc = "disabled", congestionControl = "illinois", delayedAcks = "disabled", ecn = "enabled",
      initCwnd = 16, mptcp = "enabled", nagle = "enabled", proxyBufferHigh = 131072,
      proxyBufferLow = 131072, ratePace = "enabled", receiveWindowSize = 131072,
      resetOnTimeout = "disabled", sendBufferSize = 262144, synCookieEnable = "disabled",
    },
  },
  {
    "apm-forwarding-client-tcp", "tcp-legacy",
    {
      keepAliveInterval = 60, nagle = "enabled", sendBufferSize = 131072, slowStart = "disabled",
    },
  },
  {
    "apm-forwarding-server-tcp", "tcp-legacy",
    {
      keepAliveInterval = 60, nagle = "enabled", sendBufferSize = 131072, slowStart = "disabled",
    },
  },
  {
    "splitsession-default-tcp", "tcp-wan-optimized",
    {
      delayedAcks = "disabled", idleTimeout = 600, pktLossIgnoreBurst = 8,
      pktLossIgnoreRate = 10000, proxyBufferHigh = 196608, receiveWindowSize = 458752,
      selectiveNack = "enabled", sendBufferSize = 458752, slowStart = "disabled",
      zeroWindowTimeout = 300000,
    },
  },
  {
    "wam-tcp-lan-optimized", "tcp-lan-optimized",
    { initCwnd = 16, initRwnd = 16, slowStart = "enabled" },
  },
  {
    "wam-tcp-wan-optimized", "tcp-wan-optimized",
    {
      delayedAcks = "disabled", idleTimeout = 600, initCwnd = 10, pktLossIgnoreBurst = 8,
      pktLossIgnoreRate = 10000, proxyBufferHigh = 196608, proxyMss = "disabled",
      selectiveNack = "enabled", sendBufferSize = 458752, zeroWindowTimeout = 300000,
    },
  },
  {
    "wom-tcp-lan-optimized", "tcp-lan-optimized",
    {
      cmetricsCache = "disabled", delayedAcks = "disabled", idleTimeout = 600, nagle = "enabled",
      slowStart = "enabled",
    },
  },
  {
    "wom-tcp-wan-optimized", "tcp-wan-optimized",
    {
      delayedAcks = "disabled", idleTimeout = 600, pktLossIgnoreBurst = 8,
      pktLossIgnoreRate = 10000, proxyBufferHigh = 196608, receiveWindowSize = 458752,
      selectiveNack = "enabled", sendBufferSize = 458752, slowStart = "disabled",
      zeroWindowTimeout = 300000,
    },
  },
} do
  local body = entry[3]
  body.name, body.defaultsFrom = entry[1], "/Common/" .. entry[2]
  table.insert(OBJECTS, body)
end

return {
  ["ltm/profile/tcp"] = {
    facts = {
      props = {
        congestionControl = {
          c = "bbr|cdg|chd|cubic|high-speed|illinois|new-reno|none|reno|scalable|vegas|westwood|"
            .. "woodside",
        },
      },
    },
    factory = { protected = true, objects = OBJECTS },
  },
}
