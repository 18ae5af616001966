"""Which SDK this is, as the console shows it."""

__version__ = "0.1.0"
SDK_NAME = f"agentconsole-python/{__version__}"
