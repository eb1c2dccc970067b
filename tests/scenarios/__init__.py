"""Labelled scenes: what happens to a server, who of its sources is guilty, and by when that shows.

Each folder here with a ``scene.yaml`` is one; `scene` and `group` say how it is written.
"""
