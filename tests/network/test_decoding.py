"""Types are made ready for decoding in one thread at a time."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Without `prepare` this ends with a segmentation fault: in the second or third type, of sixty.
PROGRAM = """
import sys, threading
from diagnostics.network.decoding import convert, decode

code = "import msgspec\\n"
for number in range(60):
    inner = [f"In{number}_{part}" for part in range(5)]
    for name in inner:
        code += f"class {name}(msgspec.Struct):\\n  x: int = 0\\n"
    fields = "".join(f"  f{part}: 'list[{name}] | None' = None\\n" for part, name in enumerate(inner))
    code += f"class Out{number}(msgspec.Struct):\\n  a: int\\n{fields}"
exec(code)
kinds = [globals()[f"Out{number}"] for number in range(60)]
sys.setswitchinterval(1e-6)
together = threading.Barrier(4)


def work(mine):
    for kind in kinds:
        together.wait()
        if mine:
            decode(b'{"a": 1, "f0": [{"x": 1}], "f4": [{"x": 2}]}', kind)
        else:
            convert({"a": 1, "f0": [{"x": 1}], "f4": [{"x": 2}]}, kind)


threads = [threading.Thread(target=work, args=(number % 2,)) for number in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_four_threads_that_are_the_first_to_decode_a_type() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, cwd=ROOT, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, b"")
