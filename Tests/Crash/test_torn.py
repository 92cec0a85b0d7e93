#!/usr/bin/env python3
"""Spools that were cut at every byte, or in which any byte has changed: whole records before the damage arrive, nothing
else does, and nobody stumbles.

Run: python3 Tests/Crash/test_torn.py        MARTLET_BIN names the program
MARTLET_CRASH_THOROUGH=1 has every damage go through `sync` as well, not only a sample.
"""

from __future__ import annotations

import os
import random
import shutil
import unittest

from tracking import torn
from tracking.case import PlaceTest

ROWS = "application/vnd.martlet.rows"
EVERY = os.environ.get("MARTLET_CRASH_THOROUGH") == "1"
SAMPLE = 200


class TornSpoolTest(PlaceTest):
    def damaged(self, run: str, outside: bool, sample: int = 0) -> set[int]:
        """Writes damaged spools into a directory `torn`; returns the numbers that are to arrive."""
        os.makedirs(directory := self.place.path("torn"))
        whole = torn.spool(f"{0:032x}", run, 0, outside)
        damages = torn.every_damage(len(whole.data))
        if sample:
            near = [torn.Damage(border + by) for border in whole.borders for by in (-1, 0, 1)]
            damages = random.Random(1).sample(damages + near, sample)
        wanted: set[int] = set()
        for number, damage in enumerate(damages):
            client = f"{number:032x}"
            spool = torn.spool(client, run, 100 + number * 10, outside)
            with open(os.path.join(directory, f"{client}.spool"), "wb") as file:
                file.write(damage.of(spool.data))
            # A first record of another length moves the rest: each spool is its own measure.
            wanted.update(spool.numbers_before(damage.at))
        return wanted

    def arrived(self, run: str) -> list[int]:
        return sorted(int(row.values["n"]) for row in self.rows(run))

    def test_read_by_the_server_after_an_attempt(self) -> None:
        self.serve()
        # The attempt's own run is not known before; what stands in the first record is not what counts there.
        wanted = self.damaged("k2f9a0xy", outside=False)
        command = ["/bin/sh", "-c", f'cp {self.place.path("torn")}/* "$MARTLET_SPOOL_DIR"']
        body = {"project": "crash", "command": command, "workdir": self.place.root}
        run = self.server.get("/executions", body)["id"]
        self.wait_for(lambda: self.server.get(f"/runs/{run}")["state"] == "finished", "the attempt's end")
        self.assertEqual(self.arrived(run), sorted(wanted))
        self.server.check()
        self.assertTrue(self.server.is_up())

    def test_sent_by_sync(self) -> None:
        """That of the Python client, and that of the program."""
        self.serve()
        for by_client in (True, False):
            with self.subTest(by_client=by_client):
                run = self.server.get("/runs", {"project": "crash", "name": "torn"})["id"]
                wanted = self.damaged(run, outside=True, sample=0 if EVERY else SAMPLE)
                # The second time, what is left there holds nothing new.
                for _ in range(2):
                    self.place.sync(by_client, self.place.path("torn"))
                    self.assertEqual(self.arrived(run), sorted(wanted))
                shutil.rmtree(self.place.path("torn"))
        self.assertTrue(self.server.is_up())

    def test_sent_as_it_is(self) -> None:
        """A piece of a spool is also a body of points: there, damage refuses the whole of it."""
        self.serve()
        if not self.server.takes(ROWS):
            self.skipTest(f"this server takes no {ROWS}")
        run = self.server.get("/runs", {"project": "crash", "name": "pieces"})["id"]
        whole = torn.spool(f"{0:032x}", run, 0, True)
        wanted: set[int] = set()
        for number, damage in enumerate(torn.every_damage(len(whole.data))):
            piece = torn.spool(f"{number:032x}", run, 100 + number * 10, True)
            path = f"/runs/{run}/log?client={number:032x}"
            answer = self.server.request("POST", path, damage.of(piece.data), ROWS)
            before = piece.numbers_before(damage.at)
            if damage.flip == 0 and damage.at in piece.borders and before:
                self.assertEqual(answer.status, 200, (damage, answer.data))
                wanted.update(before)
            else:
                self.assertEqual(answer.status, 422, (damage, answer.data))
                self.assertIn("offset", answer.error["details"])
        self.assertEqual(self.arrived(run), sorted(wanted))


if __name__ == "__main__":
    unittest.main(verbosity=2)
