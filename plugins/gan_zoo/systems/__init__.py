"""Papers that need more than settings: a page of Python each, with its game, its odd network and its terms."""
