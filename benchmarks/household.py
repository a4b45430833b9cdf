"""What the household costs: actions, observations, and how little a building costs beyond one apartment.

Prints one JSON line per section; `--section` chooses some. Times are CPU microseconds, the median of `--rounds`
rounds; what is compared runs side by side in the same process, so the ratios hold on any machine.

    primitives    us_per_primitive: one action of one person on an errand (to walk a metre, open, grab, put, close)
                  in an apartment of about `--nodes` things. evolving_graph_us: an action of the same errand in
                  VirtualHome's own symbolic engine, where a whole way is one action; us_of_the_same: the same
                  actions in ours; ratio: how many of ours fit into one of those. That is the bare action;
                  evolving_graph_script_us and script_ratio: the errand given to it as a script, as it is
                  usually run, when it writes down the graph after every action.
    observations  us_per_observation: what one agent's step costs altogether in `HouseholdWorld`, with its text
                  and its available actions, while agents do random things.
    building      `--apartments` copies of the apartment in one scene. us_per_primitive and ratio: the errand in one
                  of them, and against the apartment alone; us_per_way: a way right through the building, looked
                  for anew; joint_step_ms: a step in which `--people` people act, and joint_ratio: against the
                  same when they act one after the other.
    households    `HouseholdWorld` in the home `building:N`, N as in `--apartments`. us_per_observation: what one
                  agent's step costs altogether if `--people` live there, and ratio: against an apartment with as
                  many as live in one of the flats; joint_ratio: against somebody all alone in the building;
                  megabytes: memory of the scene.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import importlib.metadata
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from random import Random
from types import ModuleType
from typing import Any

from housemates.benchmarks import Row
from housemates.env.household.engine.engine import Engine, Primitive
from housemates.env.household.homes import add_character, build_home, find_places, scatter
from housemates.env.household.household import HouseholdWorld
from housemates.env.household.scene.catalog import CATALOG
from housemates.env.household.scene.graph import Box, Node, SceneGraph

KITCHEN = "kitchen"


# -- scenes and actions -----------------------------------------------------------------------


def apartment(nodes: int) -> SceneGraph:
    """The apartment with about so many things in it (never fewer than it has), and one person."""
    graph, rng = build_home("0", 11, Random("benchmark")).graph, Random("more")
    places = find_places(graph, ["bed", "sofa", "desk", "bookshelf"], ["closet", "bookshelf", "nightstand", "cabinet"])
    small = sorted(name for name, kind in CATALOG.items() if "GRABBABLE" in kind.properties and max(kind.size) < 0.25)
    for _ in range(10 * nodes):  # places fill up
        if len(graph.nodes) >= nodes:
            break
        scatter(graph, rng, rng.choice(small), places)
    add_character(graph, Random(1), 1, only(graph, KITCHEN))
    return graph


def only(graph: SceneGraph, class_name: str) -> int:
    return next(number for number, node in sorted(graph.nodes.items()) if node.class_name == class_name)


def errand(graph: SceneGraph, person: int, offset: int = 0) -> list[Primitive]:
    """Actions that lead round the apartment and leave everything as it was; all of them succeed.

    `offset`: what to add to the ids of the first apartment.
    """
    fridge, table = only(graph, "fridge") + offset, only(graph, "kitchentable") + offset
    rooms = [only(graph, name) + offset for name in ("livingroom", "bathroom", "bedroom")]
    food = next(number for number in graph.contents(fridge) if "GRABBABLE" in graph.nodes[number].properties)
    return [
        Primitive("walk", fridge),
        Primitive("open", fridge),
        Primitive("grab", food),
        Primitive("walk", table),
        Primitive("putback", food, table),
        *(Primitive("walk", room) for room in rooms),
        Primitive("walk", food),
        Primitive("grab", food),
        Primitive("walk", fridge),
        Primitive("putin", food, fridge),
        Primitive("close", fridge),
    ]


def by_the_metre(actions: Sequence[Primitive]) -> list[Primitive]:
    """The same with ways walked metre by metre, as agents do."""
    return [
        step
        for action in actions
        for step in ([Primitive("walktowards", action.target)] * 12 if action.verb == "walk" else [action])
    ]


def building(graph: SceneGraph, apartments: int) -> tuple[SceneGraph, int]:
    """Copies of an apartment in a row, their living rooms joined by doorways; and how far their ids are apart."""
    stride, whole = max(graph.nodes) + 1, SceneGraph()
    for index in range(apartments):
        shift, east = index * stride, index * 20.0
        for number, node in graph.nodes.items():
            box = node.box and Box((node.box.center[0] + east, *node.box.center[1:]), node.box.size)
            copy = Node(number + shift, node.class_name, node.category, node.properties, node.states, box)
            whole.add(copy)
        for source, relation, target in graph.edges():
            if relation != "CLOSE":
                whole.link(source + shift, relation, target + shift)
    salon = only(graph, "livingroom")
    for index in range(1, apartments):
        box = whole.nodes[salon + index * stride].box
        door = whole.add(
            Node(apartments * stride + index, "doorjamb", "Doors", box=box and Box(box.center, (0.9, 2.1, 0.1)))
        )
        whole.link(door.id, "INSIDE", salon + index * stride)
        for room in (salon + index * stride, salon + (index - 1) * stride):
            whole.link(door.id, "BETWEEN", room)
    return whole, stride


# -- measuring --------------------------------------------------------------------------------


def cpu_us(work: Callable[[], object], units: int) -> float:
    """CPU microseconds per unit of work."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1e6 / units


def repeat(engine: Engine, person: int, actions: Sequence[Primitive], times: int) -> float:
    """CPU microseconds per action; raises if one of them fails, for then something else is measured."""

    def work() -> None:
        for _ in range(times):
            for action in actions:
                result = engine.step({person: action})[person]
                if not result.ok:
                    raise RuntimeError(f"{action}: {result.lines}")

    return cpu_us(work, times * len(actions))


def evolving_graph() -> ModuleType:
    """VirtualHome's symbolic engine, without its packages' `__init__` (they edit sys.path and seed `random`)."""
    try:
        distribution = importlib.metadata.distribution("virtualhome")
    except importlib.metadata.PackageNotFoundError:
        raise SystemExit("the section primitives needs: pip install --no-deps virtualhome==2.3.0") from None
    package = ModuleType("evolving_graph")
    package.__path__ = [str(distribution.locate_file("virtualhome/simulation/evolving_graph"))]
    sys.modules["evolving_graph"] = package
    return importlib.import_module("evolving_graph.execution")


def evolving_graph_us(execution: ModuleType, scene: dict[str, Any], actions: Sequence[Primitive]) -> float:
    """CPU microseconds per action of evolving_graph; reading the graph and the script is not counted."""
    environment = importlib.import_module("evolving_graph.environment")
    graph = environment.EnvironmentGraph(scene)
    state = environment.EnvironmentState(graph, {}, instance_selection=True)
    executor = execution.ScriptExecutor(graph, {}, 0)
    lines = [script_of([action]) for action in actions]

    def work() -> None:
        nonlocal state
        for line in lines:
            ok, state = executor.execute_one_step(line, state)
            if not ok:
                raise RuntimeError(f"{line[0]}: {executor.info.get_error_string()}")

    return cpu_us(work, len(lines))


def evolving_graph_script_us(execution: ModuleType, scene: dict[str, Any], actions: Sequence[Primitive]) -> float:
    """CPU microseconds per action of evolving_graph if it is given all of them as one script."""
    environment = importlib.import_module("evolving_graph.environment")
    executor = execution.ScriptExecutor(environment.EnvironmentGraph(scene), {}, 0)
    script = script_of(actions)

    def work() -> None:
        ok, *_ = executor.execute(script)
        if not ok:
            raise RuntimeError(executor.info.get_error_string())

    return cpu_us(work, len(actions))


def script_of(actions: Sequence[Primitive]) -> Any:
    """Actions as evolving_graph reads them."""
    lines: list[str] = []
    for action in actions:
        things = " ".join(f"<thing> ({number})" for number in (action.target, action.dest) if number)
        lines.append(f"[{action.verb.upper()}] {things}")
    return importlib.import_module("evolving_graph.scripts").read_script_from_list_string(lines)


def step_us(world: HouseholdWorld, steps: int, seed: int) -> float:
    """CPU microseconds of one agent's share in a step while all do random things."""
    seen, rng, used = world.reset(seed), Random("steps"), 0.0
    for step in range(1, steps + 1):
        actions = {agent: rng.choice(o.choices) if o.choices else None for agent, o in seen.items()}
        began = time.process_time()
        result = world.step(actions)
        used += time.process_time() - began
        seen = result.observations
        if result.done:
            return used * 1e6 / step / len(actions)
    return used * 1e6 / steps / len(seen)


# -- sections ---------------------------------------------------------------------------------


def primitives(options: argparse.Namespace) -> dict[str, Any]:
    graph = apartment(options.nodes)
    engine, execution = Engine(graph, 0), evolving_graph()
    actions, scene = errand(graph, 1), graph.to_dict()
    ours, theirs, same, scripts = [], [], [], []
    for _ in range(options.rounds):
        ours.append(repeat(engine, 1, by_the_metre(actions), 20))
        same.append(repeat(engine, 1, actions, 20))
        theirs.append(evolving_graph_us(execution, scene, actions))
        scripts.append(evolving_graph_script_us(execution, scene, actions))
    return {
        "nodes": len(graph.nodes),
        "us_per_primitive": round(statistics.median(ours), 2),
        "us_of_the_same": round(statistics.median(same), 2),
        "evolving_graph_us": round(statistics.median(theirs), 1),
        "ratio": round(statistics.median(a / b for a, b in zip(theirs, same, strict=True)), 1),
        "evolving_graph_script_us": round(statistics.median(scripts), 1),
        "script_ratio": round(statistics.median(a / b for a, b in zip(scripts, same, strict=True)), 1),
    }


def observations(options: argparse.Namespace) -> dict[str, Any]:
    world, rng, steps = HouseholdWorld("put_dishwasher", options.agents), Random("observations"), 50

    def work() -> None:
        seen = world.reset(rng.randrange(1000))
        for _ in range(steps):
            result = world.step({agent: rng.choice(o.choices) if o.choices else None for agent, o in seen.items()})
            seen = world.reset(rng.randrange(1000)) if result.done else result.observations

    world.reset(0)
    rounds = [cpu_us(work, steps * options.agents) for _ in range(options.rounds)]
    return {"agents": options.agents, "us_per_observation": round(statistics.median(rounds), 1)}


def one_building(options: argparse.Namespace) -> dict[str, Any]:
    small = apartment(options.nodes)
    whole, stride = building(small, options.apartments)
    middle = options.apartments // 2 * stride
    alone, among = Engine(small, 0), Engine(whole, 0)
    local = by_the_metre(errand(small, 1))
    far = by_the_metre(errand(whole, 1 + middle, middle))
    pairs = [(repeat(among, 1 + middle, far, 20), repeat(alone, 1, local, 20)) for _ in range(options.rounds)]
    ends = only(whole, KITCHEN), only(whole, KITCHEN) + (options.apartments - 1) * stride

    def ways() -> None:
        for start, goal in (ends, ends[::-1]):
            among._acting.floorplan.forget()
            among._acting.floorplan.next_doorway(start, goal)

    together, single = joint_steps(whole, stride, options)
    return {
        "nodes": len(whole.nodes),
        "rooms": len(whole.rooms),
        "us_per_primitive": round(statistics.median(a for a, _ in pairs), 2),
        "ratio": round(statistics.median(a / b for a, b in pairs), 2),
        "us_per_way": round(statistics.median(cpu_us(ways, 2) for _ in range(options.rounds)), 1),
        "joint_step_ms": round(statistics.median(together), 2),
        "joint_ratio": round(statistics.median(together) / statistics.median(single), 2),
    }


def joint_steps(whole: SceneGraph, stride: int, options: argparse.Namespace) -> tuple[list[float], list[float]]:
    """CPU milliseconds in which everybody does something: in one joint step, and each in a step of their own."""
    first, rng = max(whole.nodes) + 1, Random("people")
    for index in range(options.people):
        kitchen = only(whole, KITCHEN) + index % options.apartments * stride
        add_character(whole, rng, first + index, kitchen)
    engine = Engine(whole, 0)
    goals = [only(whole, name) for name in ("kitchentable", "fridge", "bed", "sofa")]
    together: list[float] = []
    single: list[float] = []
    for step in range(10 * options.rounds):
        actions = {
            first + index: Primitive(
                "open" if (step + index) % 7 == 0 else "walktowards",
                goals[(step // 10 + index) % 4] + index % options.apartments * stride,
            )
            for index in range(options.people)
        }
        if step % 2:
            together.append(cpu_us(functools.partial(engine.step, actions), 1000))
        else:
            ones = [{who: action} for who, action in actions.items()]
            single.append(cpu_us(lambda ones=ones: [engine.step(one) for one in ones], 1000))
    return together, single


def households(options: argparse.Namespace) -> dict[str, Any]:
    home, mates, steps = f"building:{options.apartments}", max(1, options.people // options.apartments), 30
    worlds = {
        "building": HouseholdWorld("put_dishwasher", options.people, home),
        "alone": HouseholdWorld("put_dishwasher", 1, home),
        "apartment": HouseholdWorld("put_dishwasher", mates),
    }
    spent: dict[str, float] = {}
    for name, world in worlds.items():
        spent[name] = statistics.median(step_us(world, steps, seed) for seed in range(options.rounds))
    tracemalloc.start()
    graph = build_home(home, options.people + 1, Random("memory")).graph
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {
        "nodes": len(graph.nodes) + options.people,
        "agents": options.people,
        "us_per_observation": round(spent["building"], 1),
        "ratio": round(spent["building"] / spent["apartment"], 2),
        "joint_ratio": round(spent["building"] / spent["alone"], 2),
        "megabytes": round(used / 2**20, 1),
    }


SECTIONS = {"primitives": primitives, "observations": observations, "building": one_building, "households": households}


def rows() -> list[Row]:
    options = parser().parse_args(["--rounds", "3", "--apartments", "10", "--people", "50"])
    seen, building = observations(options), households(options)
    found = [
        Row(f"observation of one of {options.agents} agents, CPU", seen["us_per_observation"], "µs"),
        Row(
            f"the same, {options.people} agents in {options.apartments} apartments of one building",
            building["us_per_observation"],
            "µs",
            building["ratio"],
            "an apartment with as many as live in a flat",
        ),
    ]
    try:
        action = primitives(options)
    except SystemExit:  # VirtualHome's package is not here to compare with
        return found
    ratio = 1 / action["ratio"]
    return [
        *found,
        Row("action (whole ways), CPU", action["us_of_the_same"], "µs", ratio, "VirtualHome's symbolic engine"),
    ]


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--section", choices=SECTIONS, action="append", help="only this one (may be repeated)")
    parser.add_argument("--nodes", type=int, default=350, help="things in one apartment")
    parser.add_argument("--agents", type=int, default=4, help="agents who observe")
    parser.add_argument("--apartments", type=int, default=100, help="apartments of the building")
    parser.add_argument("--people", type=int, default=1000, help="people who act at the same time in the building")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions, of which the median counts")
    return parser


def main() -> None:
    options = parser().parse_args()
    for name in options.section or SECTIONS:
        print(json.dumps({"section": name, **SECTIONS[name](options)}), flush=True)


if __name__ == "__main__":
    main()
