"""Settings, taken one by one: what was never taken has no counterpart. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agent.desk.imports.notes import Notes
from agent.desk.imports.numbers import number
from agent.desk.imports.spot import Spot
from agent.policy.words import shortened


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a setting says.

    Attributes:
        value: Without its quotes.
        spot: Where it begins.
    """

    value: str
    spot: Spot


@dataclass(slots=True, kw_only=True)
class Reader:
    """The settings of a file, and those that were taken.

    Attributes:
        settings: By name.
        notes: Takes what has no counterpart.
    """

    settings: Mapping[str, Setting]
    notes: Notes
    _taken: set[str] = field(default_factory=set)

    def text(self, key: str) -> str:
        """Take a value; empty where it is not set."""
        self._taken.add(key)
        setting = self.settings.get(key)
        return setting.value.strip() if setting else ""

    def said(self, key: str) -> str:
        """Give a setting with its place, as a comment has it; empty where it is not set."""
        setting = self.settings.get(key)
        return f"{setting.spot}: {key}={shortened(setting.value)}" if setting else ""

    def number(self, key: str, usual: int, least: int = 0) -> tuple[int, str]:
        """Take a number, and what a comment says of where it comes from.

        Args:
            key: Of the setting.
            usual: What holds where it is not set, or is no number.
            least: The least that is one.
        """
        text, said = self.text(key), self.said(key)
        if not said:
            return usual, f"{key} is not set, so {usual}"
        value = number(text)
        if value is None or value < least:
            return usual, f"{said}: no number of {least} and more, so {usual}"
        return value, said

    def tell(self, key: str, why: str) -> None:
        """Tell that a setting, where it is set, has no counterpart."""
        self._taken.add(key)
        if setting := self.settings.get(key):
            self.notes.add(setting.spot, key, why)

    def left(self) -> Iterator[str]:
        """Give the settings that were not taken, in the order of the file."""
        yield from (key for key in self.settings if key not in self._taken)
