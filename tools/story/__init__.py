"""The chapters of `make demo`: one file a subject, told in the order of `demo.py`."""
