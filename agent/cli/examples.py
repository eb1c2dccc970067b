"""What a command's help ends with."""


def examples(*each: tuple[str, str]) -> str:
    """Give as click's epilog what may be typed, each with what it is for."""
    lines = (f"  {typed}\n      {meaning}" for typed, meaning in each)
    return "\n".join(("\b", "Examples:", *lines))
