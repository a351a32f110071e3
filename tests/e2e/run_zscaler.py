"""Runs the unmodified `zscaler-mcp`, whose token endpoint is where PORTCULLIS_TEST_TOKEN_URL says.

Its URL is made from a tenant's name under a fixed domain, which no test can answer for. Nothing
else is changed.
"""

import os
import sys

from zscaler_mcp.security import auth
from zscaler_mcp.server import main

if url := os.environ.get("PORTCULLIS_TEST_TOKEN_URL"):
    auth._build_token_url = lambda *_: url
sys.exit(main())
