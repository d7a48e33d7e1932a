"""Bodies as they travel: requests are decoded into these types, answers encoded from them.

Optional parts of an answer are left out, never null: Trove's clients crash on null objects.
"""
