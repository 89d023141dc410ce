"""Aliases: the names by which a host calls one parameter, and which of them an adapter knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

Aliases: TypeAlias = "Mapping[str, tuple[str, ...]]"
"""For each name of a parameter that has several: all of them, the newest first."""


def names_by_name(pairs: Mapping[str, str]) -> Aliases:
    """Group ``{old name: new name}``, in which no name leads back to itself."""
    groups: dict[str, list[str]] = {}
    for old in pairs:
        newest = pairs[old]
        while newest in pairs:
            newest = pairs[newest]
        groups.setdefault(newest, [newest]).append(old)
    return {name: tuple(names) for names in groups.values() for name in names}


def with_aliases(
    renames: Mapping[str, str], aliases: Aliases, theirs: Collection[str]
) -> Mapping[str, str]:
    """Add to an adapter's renames where each name of a parameter goes, as far as it knows one.

    Parameters
    ----------
    renames
        The host's names to the adapter's, as the adapter declares them.
    aliases
        The names that mean the same to the host.
    theirs
        The names of the implementation's parameters.
    """
    found = dict(renames)
    for names in dict.fromkeys(aliases.values()):
        elsewhere = {target for name, target in renames.items() if name not in names}
        renamed = [renames[name] for name in names if name in renames]
        known = [name for name in names if name in theirs and name not in elsewhere]
        for name in names if renamed or known else ():
            exact = name if name in known and not renamed else None
            found.setdefault(name, exact or (*renamed, *known)[0])
    return found


def second_place(aliases: Aliases, positional: Sequence[str]) -> int | None:
    """Tell which place, if any, is that of a second name of one parameter."""
    seen: set[tuple[str, ...]] = set()
    for place, name in enumerate(positional):
        names = aliases.get(name)
        if names in seen:
            return place
        seen.update([names] if names else [])
    return None


def one_of_each(
    aliases: Aliases, passing: Collection[str], by_position: Collection[str]
) -> Iterator[str]:
    """Choose for each parameter one name that calls may give as it is: never two at once.

    Parameters
    ----------
    aliases
        The names that mean the same to the host.
    passing
        The names that reach an implementation as they are.
    by_position
        The names of what a call may give by position beside them.
    """
    for names in dict.fromkeys(aliases.values()):
        beside = [name for name in names if name in by_position]
        yield from [name for name in beside or names if name in passing][:1]
