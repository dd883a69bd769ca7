"""The table that is sorted on the page, used with mouse and keys."""

import re

import numpy as np
import pandas as pd
import pytest

from mnist_helpers import live

FRAME = pd.DataFrame(
    {"errors": [40, 9, 763], "cost": [2.5, np.nan, 10.0], "kind": ["net <b>", "committee", "linear"]},
    index=pd.Index(["compact", "five", "weighted sum"], name="system"),
)


def table():
    return live.Table(FRAME, caption="Three systems.", formats={"cost": "{:.1f}"})


def test_without_scripts_it_is_a_table_with_all_values():
    still = table().still()
    assert re.findall("<th[^>]*>([^<]*)</th>", still) == ["system", "errors", "cost", "kind"]
    cells = re.findall("<td[^>]*>([^<]*)</td>", still)
    assert cells[:8] == ["compact", "40", "2.5", "net &lt;b&gt;", "five", "9", "–", "committee"]


def test_the_same_output_again_and_a_text_for_screen_readers():
    assert table().to_html() == table().to_html()
    assert "Three systems. 3 rows" in table().alt


def test_formats_name_columns():
    with pytest.raises(ValueError, match=r"'formats' .* columns among .*'errors'"):
        live.Table(FRAME, caption="", formats={"mistakes": "{}"})


def test_a_click_sorts_and_a_second_one_turns_the_order_round(show):
    page = show(figure=table())
    names = ".sortable tbody th"
    assert page.texts(names) == list(FRAME.index)
    page.drag(".sortable thead th:nth-child(2) button", (0.5, 0.5))
    assert page.texts(names) == ["five", "compact", "weighted sum"]  # as numbers: 9, 40, 763
    assert page.value("document.querySelector('th:nth-child(2)').getAttribute('aria-sort')") == "ascending"
    page.drag(".sortable thead th:nth-child(2) button", (0.5, 0.5))
    assert page.texts(names) == ["weighted sum", "compact", "five"]
    assert page.text(".voice") == "Sorted by errors, descending."


def test_empty_cells_come_last_in_both_orders_and_the_keyboard_sorts_too(show):
    page = show(figure=table(), dark=True)
    button = ".sortable thead th:nth-child(3) button"
    last = []
    for _ in range(2):
        page.value(f"document.querySelector('{button}').focus()")
        for kind in ("keyDown", "keyUp"):
            key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
            page.browser.call("Input.dispatchKeyEvent", type=kind, **key)
        last.append(page.texts(".sortable tbody th"))
    assert last == [["compact", "weighted sum", "five"], ["weighted sum", "compact", "five"]]


def test_texts_sort_by_the_alphabet_and_equal_keys_stay_in_order(show):
    page = show(figure=table())
    assert page.call("table.order", ["b", None, "a", "b"], False) == [2, 0, 3, 1]
    assert page.call("table.order", ["b", None, "a", "b"], True) == [0, 3, 2, 1]


def test_it_is_no_wider_than_a_phone(show):
    page = show(figure=table(), width=390, height=844)
    assert page.value("document.documentElement.scrollWidth") <= 390
