"""The page in a real browser: what people do with it, and what hostile runs do not do to it."""

from __future__ import annotations

import asyncio
import re
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from housemates.orchestrator.journal.log import FILE_NAME, Journal
from housemates.orchestrator.pause import Gate
from housemates.orchestrator.viewer.control import Control
from playwright.sync_api import Page, expect

from . import journals
from .conftest import Serve

pytestmark = pytest.mark.browser


def where(page: Page) -> Any:
    return page.locator(".where")


def opened(page: Page, address: str, step: str) -> None:
    """Open the page and wait until it shows the step."""
    page.goto(address)
    expect(where(page)).to_have_text(re.compile(step))
    expect(page.locator(".decision")).not_to_be_empty()


def accessible(page: Page) -> list[str]:
    """The rules that the page breaks badly."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['help']}" for one in found if one["impact"] in ("serious", "critical")]


def test_a_recorded_run_opens_at_its_first_step_with_its_agents_map_and_figures(
    page: Page, serve: Serve, recorded: Path
) -> None:
    opened(page, serve(recorded), "step 0 of")
    expect(page.locator("#title")).to_contain_text("recorded")
    expect(page.locator("#status")).to_have_text("solved")
    expect(page.locator("[role=option]")).to_have_count(2)
    expect(page.locator(".map img")).to_be_visible()
    expect(page.locator(".figures").first).to_contain_text("put_dishwasher")


def test_scrubbing_shows_the_step_under_the_slider(page: Page, serve: Serve, recorded: Path) -> None:
    opened(page, serve(recorded), "step 0 of")
    page.locator("#slider").fill("9")
    expect(where(page)).to_contain_text("step 9 of")
    page.locator("summary", has_text="Observation").click()
    expect(page.locator(".panel")).to_contain_text("This is step 9.")


def test_playing_goes_on_to_the_last_step_and_holds_there(page: Page, serve: Serve, tmp_path: Path) -> None:
    opened(page, serve(journals.long_run(tmp_path / "run", 6, 2)), "step 0 of 5")
    page.get_by_label("Speed").select_option("16")
    page.get_by_role("button", name="Play").click()
    expect(where(page)).to_have_text("step 5 of 5")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_choosing_an_agent_shows_its_mind(page: Page, serve: Serve, recorded: Path) -> None:
    opened(page, serve(recorded), "step 0 of")
    page.locator("[role=option]", has_text="Agent_2").click()
    expect(page.locator("#mind-title")).to_contain_text("Agent_2")
    page.locator("summary", has_text="Prompt").click()
    expect(page.locator(".panel")).to_contain_text("I'm Agent_2.")


def test_a_deep_link_leads_to_a_step_and_an_agent_and_is_kept_up_to_date(
    page: Page, serve: Serve, recorded: Path
) -> None:
    opened(page, serve(recorded) + "#step=12&agent=Agent_2", "step 12 of")
    expect(page.locator("#mind-title")).to_contain_text("Agent_2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    expect(page).to_have_url(re.compile("#step=13&agent=Agent_1$"))


def test_the_prompt_has_the_plan_in_its_place(page: Page, serve: Serve, tmp_path: Path) -> None:
    opened(page, serve(journals.long_run(tmp_path / "run", 12, 1)) + "#step=11", "step 11 of 11")
    page.locator("summary", has_text="Prompt").click()
    expect(page.locator(".panel")).to_contain_text("Plan: Take the cup, then rest 2 times.")


def test_a_bar_shows_where_the_time_of_a_step_went(page: Page, serve: Serve, recorded: Path) -> None:
    opened(page, serve(recorded) + "#step=0", "step 0 of")
    expect(page.locator(".times")).to_contain_text(re.compile("The step took .* for the turns, .* for the world"))
    for part in ("acting", "world"):
        expect(page.locator(f".times .key.span-{part}")).to_have_text(part)
        assert page.locator(f".row .bar .span-{part}").first.bounding_box()["width"] > 0  # type: ignore[index]
    expect(page.locator(".figures").first).to_contain_text("time of the steps")


def test_the_history_of_a_plan_says_what_was_put_in_and_taken_out(page: Page, serve: Serve, tmp_path: Path) -> None:
    opened(page, serve(journals.long_run(tmp_path / "run", 12, 1)) + "#step=11", "step 11 of 11")
    latest = page.locator(".change").filter(has=page.locator("ins")).first
    expect(latest.locator("del")).to_have_text("1")
    expect(latest.locator("ins")).to_have_text("2")


def test_the_keyboard_plays_steps_and_chooses_agents(page: Page, serve: Serve, tmp_path: Path) -> None:
    opened(page, serve(journals.long_run(tmp_path / "run", 40, 3)), "step 0 of 39")
    for key, step in [("End", 39), ("ArrowLeft", 38), ("Shift+ArrowLeft", 28), ("Home", 0), ("ArrowRight", 1)]:
        page.keyboard.press(key)
        expect(where(page)).to_have_text(f"step {step} of 39")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#mind-title")).to_contain_text("Agent_2")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Hold")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()


def test_the_conversation_grows_with_the_steps(page: Page, serve: Serve, tmp_path: Path) -> None:
    opened(page, serve(journals.long_run(tmp_path / "run", 20, 2)), "step 0 of 19")
    expect(page.locator(".message")).to_have_count(1)
    page.keyboard.press("End")
    expect(page.locator(".message")).to_have_count(3)
    expect(page.locator(".message").last).to_contain_text("hello 14")


def test_a_run_that_goes_on_is_followed_and_can_be_paused_stepped_and_let_go(
    page: Page, serve: Serve, tmp_path: Path
) -> None:
    gate, control = _going_on(tmp_path / "run", 400)
    opened(page, serve(tmp_path / "run", control=control), "step")
    expect(page.locator("#status")).to_have_text("going on")
    page.keyboard.press("End")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#status")).to_have_text("paused")
    stands = where(page).inner_text()
    page.get_by_role("button", name="One step").click()
    expect(where(page)).not_to_have_text(stands)
    expect(page.locator("#status")).to_have_text("paused")
    stands = where(page).inner_text()
    page.get_by_role("button", name="Go on").click()
    expect(where(page)).not_to_have_text(stands)
    expect(page.locator("#status")).to_have_text("going on")
    assert not gate.paused
    control.over = True


def _going_on(folder: Path, steps: int) -> tuple[Gate, Control]:
    """A run that is written by another thread, a step each 50 ms, behind a gate."""
    control = Control(Gate())
    journals.write(folder, journals.begin(2), journals.step(0, 2))

    async def conduct() -> None:
        journal = Journal(folder / FILE_NAME, after=(folder / FILE_NAME).stat().st_size)
        for number in range(1, steps):
            await control.gate.passage()
            if control.over:
                break
            journal.append(journals.step(number, 2))
            await asyncio.sleep(0.05)
        journal.close()

    threading.Thread(target=lambda: asyncio.run(conduct()), daemon=True).start()
    return control.gate, control


def test_hostile_text_is_shown_as_text_wherever_it_appears(page: Page, serve: Serve, tmp_path: Path) -> None:
    opened(page, serve(journals.hostile_run(tmp_path / "run")) + "#step=2&agent=Agent_1", "step 2 of 2")
    for opened_section in ("Reply of the model", "Settings"):
        page.locator("summary", has_text=opened_section).click()
    expect(page.locator(".message").last).to_contain_text("<script>document.title")
    for place in (".decision", ".row", ".history", ".panel details >> nth=0", ".figures >> nth=1"):
        expect(page.locator(place).first).to_contain_text("<script>")
    expect(page.locator(".decision")).to_contain_text("U+001B[31mred")
    expect(page.locator(".decision")).to_contain_text("U+202Egnp.exe")
    assert page.evaluate("document.querySelectorAll('main script, main img[src=x], main b b').length") == 0
    assert "taken over" not in page.title()


def test_a_megabyte_is_shortened_and_loaded_piece_by_piece(page: Page, serve: Serve, tmp_path: Path) -> None:
    opened(page, serve(journals.hostile_run(tmp_path / "run")) + "#step=1&agent=Agent_2", "step 1 of 2")
    message = page.locator(".message").last
    assert len(message.locator(".text").inner_text()) < 1000
    more = message.get_by_role("button", name="Load more")
    expect(more).to_contain_text("600 of 1,048,576 characters")
    more.click()
    expect(more).to_contain_text("64,600 of")
    assert len(message.locator(".text").inner_text()) == 64_600


def test_a_damaged_journal_says_so_in_one_line_and_shows_what_comes_before(
    page: Page, serve: Serve, tmp_path: Path
) -> None:
    folder = journals.long_run(tmp_path / "run", 5, 1)
    with (folder / FILE_NAME).open("ab") as file:
        file.write(b"\xff" * 100)
    opened(page, serve(folder), "step 0 of 4")
    expect(page.locator("#note")).to_contain_text("is damaged at byte")


def test_a_run_that_was_killed_in_the_middle_of_a_record_is_shown(page: Page, serve: Serve, tmp_path: Path) -> None:
    folder = journals.write(tmp_path / "run", journals.begin(1), journals.step(0, 1), journals.step(1, 1))
    path = folder / FILE_NAME
    path.write_bytes(path.read_bytes()[:-10])
    opened(page, serve(folder), "step 0 of 0")
    expect(page.locator("#note")).to_contain_text("The last record is not whole")


def test_a_study_lists_its_episodes_and_leads_to_them(page: Page, serve: Serve, tmp_path: Path, recorded: Path) -> None:
    (tmp_path / "study.toml").write_text('[vary]\nseed = [1]\n[run]\ntask = "put_dishwasher"\n')
    (tmp_path / "episodes").mkdir()
    (tmp_path / "episodes" / "seed=1").symlink_to(recorded)
    page.goto(serve(tmp_path, study=True))
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("solved")
    page.get_by_role("link", name="seed=1").click()
    expect(where(page)).to_have_text(re.compile("step 0 of"))


def test_the_page_of_a_study_follows_what_begins_and_ends(
    page: Page, serve: Serve, tmp_path: Path, recorded: Path
) -> None:
    (tmp_path / "study.toml").write_text('[vary]\nseed = [1]\n[run]\ntask = "put_dishwasher"\n')
    page.goto(serve(tmp_path, study=True))
    expect(page.get_by_text("No episode has begun yet.")).to_be_visible()
    shutil.copytree(recorded, tmp_path / "episodes" / "seed=1", ignore=shutil.ignore_patterns("summary.json"))
    expect(page.locator("tbody tr")).to_contain_text("going on")
    expect(page.get_by_text("No episode has begun yet.")).to_have_count(0)
    page.get_by_role("link", name="seed=1").focus()
    shutil.copy(recorded / "summary.json", tmp_path / "episodes" / "seed=1")
    expect(page.locator("tbody tr")).to_contain_text("solved")
    expect(page.get_by_role("link", name="seed=1")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_no_serious_fault_of_accessibility(
    page: Page, serve: Serve, recorded: Path, tmp_path: Path, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    opened(page, serve(recorded) + "#step=20&agent=Agent_2", "step 20 of")
    for title in ("Prompt", "Reply of the model", "Model calls", "Settings"):
        page.locator("summary", has_text=title).click()
    assert accessible(page) == []
    opened(page, serve(journals.hostile_run(tmp_path / "run")) + "#step=2", "step 2 of")
    assert accessible(page) == []
    page.goto(serve(tmp_path, study=True))
    expect(page.locator("tbody tr")).to_have_count(1)
    assert accessible(page) == []


def test_on_a_narrow_screen_nothing_sticks_out(page: Page, serve: Serve, recorded: Path, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 480, "height": 800})
    for folder in (recorded, journals.hostile_run(tmp_path / "run")):
        opened(page, serve(folder) + "#step=1&agent=Agent_1", "step 1 of")
        assert page.evaluate("document.documentElement.scrollWidth") <= 480
