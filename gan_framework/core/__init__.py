"""The mathematics of a game: networks, pairs, players and their updates. It knows torch alone and names no plugin."""
