"""The command line."""

import os

# Torch's threads wait for each other busily. Where another process has one of their cores, a step takes many times as
# long; with a limit, which libgomp reads when torch is imported, twice, and without others as long as before.
if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "50000"
