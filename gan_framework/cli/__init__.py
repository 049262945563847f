"""The command line."""

import os

# Torch's threads wait for each other busily, and steps take many times as long where another process has one of their
# cores. With a limit, which libgomp reads when torch is imported, they take half of that, and alone as long as before.
if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "50000"
