"""Networks: what they start from, what of them is left alone, in which layout they lie, who judges samples alone."""
