# SPDX-License-Identifier: MIT
"""The parts of documents that programs make. Each stands between two lines:

    <!-- bench: NAME -->
    <!-- end -->
"""
import re


def begin(name):
    return f"<!-- bench: {name} -->\n"


END = "<!-- end -->\n"


def replaced(text, blocks):
    """The text with the parts of these names replaced, where it has them. blocks: name to Markdown."""
    for name, block in blocks.items():
        pattern = re.compile(re.escape(begin(name)) + ".*?" + re.escape(END), re.DOTALL)
        text = pattern.sub(lambda _, part=begin(name) + block + END: part, text)
    return text


def replace_in(path, blocks):
    """Rewrites a file where its parts differ."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    new = replaced(text, blocks)
    if new != text:
        with open(path, "w", encoding="utf-8") as file:
            file.write(new)


def table(head, rows):
    """A table in Markdown."""
    lines = [head, *rows]
    lines = ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]]) + "\n"
