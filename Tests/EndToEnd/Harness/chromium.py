#!/usr/bin/python3
"""Drives headless Chromium: reads one plan (JSON) on standard input, writes what it saw (JSON, one answer a step) on standard output.

A step is an object with `do`:
  go URL          opens it
  heading TEXT    waits until the page's heading contains TEXT
  look NAME       looks at the page in light and dark, on a desk and 320 pixels wide, zoomed; keeps screenshots
  keyboard TEXT   goes to what begins with TEXT by the Tab key alone, and presses Enter
  press TEXT      clicks on the first button or link that contains TEXT
  fill            types `values` (name -> text) into the fields of those names
  forget          drops which addresses were asked for until now
  history         the addresses that the Back button knows, and the one in the address bar
"""
import base64
import json
import os
import sys
import time

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

# What a page is, as a person without a mouse, without good eyes or on a small screen finds it.
FACTS = r"""
const luminance = c => { const f = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]); };
const rgba = s => { const n = s.match(/[\d.]+/g).map(Number); return n.length === 3 ? [...n, 1] : n; };
const behind = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; }
  return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255]; };
const ratio = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
const texts = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let n; (n = walk.nextNode());) {
  if (!n.data.trim()) continue;
  texts.push({text: n.data.trim().slice(0, 40), ratio: ratio(rgba(getComputedStyle(n.parentElement).color), behind(n.parentElement))});
}
const edges = [...document.querySelectorAll('a, button, input')].map(e =>
  ratio(rgba(getComputedStyle(e).borderTopColor), behind(e.parentElement)));
return {
  lang: document.documentElement.lang, title: document.title, headings: [...document.querySelectorAll('h1')].map(h => h.innerText),
  text: document.body.innerText, scripts: document.scripts.length,
  handlers: [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length,
  outside: document.querySelectorAll('link[rel=stylesheet], img, iframe, object, embed, video, audio, base').length,
  contrast: Math.min(...texts.map(t => t.ratio)), faintest: texts.sort((a, b) => a.ratio - b.ratio)[0].text,
  edge: edges.length ? Math.min(...edges) : null,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  background: getComputedStyle(document.body).backgroundColor, mains: document.querySelectorAll('main').length,
  targets: [...document.querySelectorAll('main a, main button')].map(e => Math.round(e.getBoundingClientRect().height)),
};
"""
FOCUS = r"""
const e = document.activeElement;
if (!e || e === document.body) return null;
const s = getComputedStyle(e);
return {text: e.innerText, outline: s.outlineStyle === 'none' ? 0 : parseFloat(s.outlineWidth)};
"""
VARIANTS = [
    ("light", "desktop", 1280, 800, "100%"),
    ("dark", "desktop", 1280, 800, "100%"),
    ("light", "narrow", 320, 640, "100%"),
    ("dark", "narrow", 320, 640, "100%"),
    ("light", "large-text", 640, 640, "200%"),
]


class Chromium:
    def __init__(self, screenshots):
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        for flag in [
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--no-proxy-server",
            "--hide-scrollbars", "--user-data-dir=" + os.path.join(os.environ["HOME"], "chromium"),
        ]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver")), options=options)
        self.driver.set_page_load_timeout(60)
        self.screenshots = screenshots
        self.cdp("Accessibility.enable")

    def cdp(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def step(self, step):
        return getattr(self, step["do"])(step)

    def go(self, step):
        began = time.monotonic()
        self.driver.get(step["url"])
        return {"seconds": time.monotonic() - began}

    def until(self, what, find):
        end = time.monotonic() + 30
        while True:
            try:
                found = find()
                if found:
                    return found
            except (StaleElementReferenceException, WebDriverException):
                pass
            if time.monotonic() > end:
                raise SystemExit("no %s at %s:\n%s" % (what, self.driver.current_url, self.driver.page_source[:4000]))
            time.sleep(0.05)

    def heading(self, step):
        text = step["text"]
        self.until(
            "heading " + text,
            lambda: self.driver.execute_script(
                "return document.readyState === 'complete' && [...document.querySelectorAll('h1')].some(h => h.innerText.includes(arguments[0]))",
                text,
            ),
        )
        return {}

    def variant(self, scheme, width, height, size):
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.driver.execute_script("document.documentElement.style.fontSize = arguments[0]", size)

    def look(self, step):
        variants = []
        for scheme, name, width, height, size in VARIANTS:
            self.variant(scheme, width, height, size)
            facts = self.driver.execute_script(FACTS)
            file = os.path.join(self.screenshots, "%s-%s-%s.png" % (step["name"], name, scheme))
            # The whole page, where it is longer than the window.
            image = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True)
            with open(file, "wb") as out:
                out.write(base64.b64decode(image["data"]))
            facts.update(variant=name + " " + scheme, screenshot=file)
            variants.append(facts)
        self.variant("light", 1280, 800, "")
        return {"variants": variants, "tabs": self.tabs(), "tree": self.tree(), "requests": self.requests()}

    def tabs(self):
        """What the Tab key reaches, in order."""
        self.driver.execute_script("document.activeElement.blur()")
        reached = []
        for _ in range(40):
            self.key("Tab")
            focus = self.driver.execute_script(FOCUS)
            if focus is None or focus in reached:
                break
            reached.append(focus)
        self.driver.execute_script("document.activeElement.blur()")
        return reached

    def key(self, name):
        code = {"Tab": 9, "Enter": 13}[name]
        text = {"text": "\r"} if name == "Enter" else {}
        self.cdp("Input.dispatchKeyEvent", type="keyDown", key=name, code=name, windowsVirtualKeyCode=code, **text)
        self.cdp("Input.dispatchKeyEvent", type="keyUp", key=name, code=name, windowsVirtualKeyCode=code)

    def tree(self):
        """Roles and names as a screen reader gets them."""
        nodes = self.cdp("Accessibility.getFullAXTree")["nodes"]
        wanted = {"heading", "link", "button", "textbox", "list", "main", "contentinfo", "blockquote"}
        return [
            {"role": node["role"]["value"], "name": node.get("name", {}).get("value", "")}
            for node in nodes
            if not node.get("ignored") and node.get("role", {}).get("value") in wanted
        ]

    def requests(self):
        """Every address that was asked for since the last time."""
        urls = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
        return urls

    def forget(self, step):
        self.requests()
        return {}

    def keyboard(self, step):
        self.driver.execute_script("document.activeElement.blur()")
        for _ in range(40):
            self.key("Tab")
            focus = self.driver.execute_script(FOCUS)
            if focus and focus["text"].startswith(step["text"]):
                self.key("Enter")
                return {}
        raise SystemExit("the Tab key does not reach " + step["text"])

    def press(self, step):
        text = step["text"].lower()

        def find():
            for element in self.driver.find_elements("css selector", "button, a, input[type=submit], input[type=button]"):
                label = (element.text or "") + (element.get_attribute("value") or "" if element.tag_name == "input" else "")
                if text in label.lower() and element.is_displayed() and element.is_enabled():
                    element.click()
                    return True
            return False

        self.until("button " + step["text"], find)
        return {}

    def fill(self, step):
        for name, value in step["values"].items():
            field = self.until(
                "field " + name,
                lambda: [
                    found
                    for found in self.driver.find_elements("css selector", "input")
                    if name in (found.get_attribute("name"), found.get_attribute("id")) and found.is_displayed()
                ],
            )[0]
            field.clear()
            field.send_keys(value)
        if step.get("enter"):
            field.send_keys(Keys.ENTER)
        return {}

    def history(self, step):
        entries = self.cdp("Page.getNavigationHistory")
        return {"address": self.driver.current_url, "entries": [entry["url"] for entry in entries["entries"]]}


def main():
    plan = json.load(sys.stdin)
    os.makedirs(plan["screenshots"], exist_ok=True)
    chromium = Chromium(plan["screenshots"])
    try:
        answers = [chromium.step(step) for step in plan["steps"]]
    finally:
        chromium.driver.quit()
    json.dump(answers, sys.stdout)


main()
