"""``docker run [options] IMAGE COMMAND``, as an instance has it: the command, here.

Nothing of the environment reaches it but what an image has, and what ``-e`` says.
"""

import os
import sys

OF_AN_IMAGE = ("PATH", "HOME", "TMPDIR", "LANG")

if __name__ == "__main__":
    environment = {name: os.environ[name] for name in OF_AN_IMAGE}
    words = sys.argv[2:]
    while words[0].startswith("-"):
        if words.pop(0) == "-e":
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
    image, *command = words
    absent = os.environ["ABSENT"]
    if absent and any(absent in word for word in command):
        sys.exit(f"docker: manifest for {image} not found.")
    os.execvpe(command[0], command, environment)
