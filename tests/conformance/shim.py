"""What the functional suite of F5's Python SDK expects of its runner: `pytest.config`, and symbols
that choose the tests."""
import types

import pytest


def pytest_addoption(parser):
    parser.addoption("--symbols", action="store", default=None)


def pytest_configure(config):
    pytest.config = config
    pytest.symbols = types.SimpleNamespace(
        bigip_mgmt_ip_public=config.getoption("--bigip"),
        bigip_port=config.getoption("--port"),
        bigip_username=config.getoption("--username"),
        bigip_password=config.getoption("--password"),
        modules={"gtm": True, "ltm": True, "asm": True, "apm": True, "afm": True,
                 "run_hardware_tests": False},
        run_iwf_license_tests=False,
        run_iwf_cloud_managed_devices_tests=False,
        run_biq_license_tests=False,
        run_vcmp_tests=False,
        run_hardware_tests=False,
        vcmp_host="127.0.0.1",
    )
