"""What must be true of rendered pages, checked without a browser."""

import re
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag


def requests(html: str | BeautifulSoup) -> list[str]:
    """Addresses that a browser would ask other hosts or other files for when it shows the page."""
    soup = BeautifulSoup(html, "html.parser") if isinstance(html, str) else html
    named = [
        tag[attribute]
        for tag in soup.find_all(True)
        for attribute in ("src", "srcset", "poster", "data")
        if tag.has_attr(attribute)
    ]
    named += [tag["href"] for tag in soup.find_all("link") if tag.has_attr("href")]
    scripts = " ".join(tag.get_text() for tag in soup.find_all("script"))
    styles = " ".join(tag.get_text() for tag in soup.find_all("style"))
    named += re.findall(r"https?://[^\s\"']+", scripts) + re.findall(r"@import\s+\S+", styles)
    named += re.findall(r"url\(['\"]?([^)'\"]+)", styles)
    return [address for address in named if not address.startswith(("data:", "#"))]


def problems(directory: Path) -> list[str]:
    """All that is wrong with the pages of a folder: links, anchors, pictures, requests, and what a phone needs."""
    pages = {
        path.name: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in directory.glob("*.html")
    }
    ids = {name: [tag["id"] for tag in soup.find_all(id=True)] for name, soup in pages.items()}
    found = []
    for name, soup in pages.items():
        found += [f"{name}: asks for {address}" for address in requests(soup)]
        found += [f"{name}: id {one} twice" for one in set(ids[name]) if ids[name].count(one) > 1]
        found += [f"{name}: picture without a text" for tag in soup.find_all("img") if not tag.get("alt", "").strip()]
        found += [f"{name}: no {what}" for what, there in _needed(soup).items() if not there]
        for tag in soup.find_all("a", href=re.compile("^(?!https?:)")):
            target, anchor = _target(tag, name)
            if target not in ids:
                found.append(f"{name}: {tag['href']} leads nowhere")
            elif anchor and not {anchor, unquote(anchor)} & set(ids[target]):
                found.append(f"{name}: {tag['href']} has no such place")
    return found


def _needed(soup: BeautifulSoup) -> dict[str, bool]:
    policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})
    return {
        "title": bool(soup.title and soup.title.get_text(strip=True)),
        "language": bool(soup.html and soup.html.get("lang")),
        "viewport": soup.find("meta", {"name": "viewport"}) is not None,
        "policy": policy is not None and "default-src 'none'" in str(policy.get("content")),
    }


def _target(tag: Tag, page: str) -> tuple[str, str]:
    href = str(tag["href"])
    if href.startswith("data:"):  # the file is in the link
        return page, ""
    name, _, anchor = href.partition("#")
    return unquote(name) or page, anchor
