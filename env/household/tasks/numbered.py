"""The fifty numbered tasks: ten of each published family, with what is asked for and the home.

Made like the published evaluation set (families in this order, three to five things, within the families' limits);
the contents are ours. A tableware task has only three possible goals, so these differ by their homes.
"""

from __future__ import annotations

NUMBERED: dict[str, tuple[tuple[str, str], ...]] = {
    "read_book": (  # 0 to 9
        ("0", "cupcake cupcake apple"),
        ("1", "pudding juice wine"),
        ("2", "apple apple cupcake pudding"),
        ("4", "wine cupcake apple pudding"),
        ("5", "pudding pudding juice cupcake"),
        ("6", "apple juice wine cupcake"),
        ("0", "cupcake cupcake pudding pudding apple"),
        ("2", "juice wine apple apple"),
        ("3", "apple wine pudding"),
        ("6", "cupcake pudding apple juice wine"),
    ),
    "put_dishwasher": (  # 10 to 19
        ("0", "plate plate cutleryfork cutleryfork"),
        ("1", "plate cutleryfork cutleryfork"),
        ("2", "plate plate cutleryfork"),
        ("3", "plate plate cutleryfork cutleryfork"),
        ("4", "plate cutleryfork cutleryfork"),
        ("5", "plate plate cutleryfork cutleryfork"),
        ("6", "plate plate cutleryfork"),
        ("6", "plate plate cutleryfork cutleryfork"),
        ("3", "plate plate cutleryfork"),
        ("1", "plate plate cutleryfork cutleryfork"),
    ),
    "prepare_food": (  # 20 to 29
        ("1", "coffeepot pancake apple"),
        ("2", "cupcake poundcake juice apple"),
        ("3", "pudding pudding wine"),
        ("4", "pancake apple apple coffeepot"),
        ("5", "poundcake cupcake cupcake juice wine"),
        ("6", "coffeepot pudding cupcake"),
        ("0", "apple apple pancake poundcake juice"),
        ("3", "cupcake wine apple"),
        ("5", "coffeepot juice pudding pancake"),
        ("6", "poundcake pancake cupcake apple wine"),
    ),
    "put_fridge": (  # 30 to 39
        ("2", "cupcake cupcake juice"),
        ("3", "pancake apple wine"),
        ("4", "poundcake pudding pudding apple"),
        ("5", "juice wine apple apple"),
        ("6", "cupcake pancake poundcake"),
        ("0", "pudding apple juice wine cupcake"),
        ("1", "apple apple pudding pudding"),
        ("3", "poundcake juice cupcake pancake"),
        ("4", "wine cupcake cupcake pudding"),
        ("6", "apple apple pancake juice wine"),
    ),
    "setup_table": (  # 40 to 49
        ("3", "plate plate cutleryfork cutleryfork"),
        ("4", "plate plate cutleryfork"),
        ("5", "plate cutleryfork cutleryfork"),
        ("6", "plate plate cutleryfork cutleryfork"),
        ("0", "plate cutleryfork cutleryfork"),
        ("1", "plate plate cutleryfork cutleryfork"),
        ("5", "plate plate cutleryfork"),
        ("3", "plate cutleryfork cutleryfork"),
        ("6", "plate plate cutleryfork"),
        ("0", "plate plate cutleryfork cutleryfork"),
    ),
}
"""Per family (home, things) of its ten tasks; a thing that is asked for twice is named twice."""
