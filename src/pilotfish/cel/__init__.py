"""The Common Expression Language: text → a checked function, in the words of its environment."""
