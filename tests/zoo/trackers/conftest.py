from tests.helpers.wandb_home import server, wandb_at_home  # noqa: F401 (fixtures)
