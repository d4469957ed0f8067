// Rules that a page must keep, each after the WCAG 2.2 AA criterion that it names; the
// result is a list of what breaks them.
(() => {
  const out = [];
  const say = (rule, e, why) => out.push(rule + ": " + why + (e ? " " + e.outerHTML.slice(0, 140).replace(/\s+/g, " ") : ""));
  const all = (s) => [...document.querySelectorAll(s)];
  const seen = (e) => {
    const s = getComputedStyle(e);
    return s.visibility !== "hidden" && s.display !== "none" && e.getClientRects().length > 0;
  };
  const byIds = (ids) => (ids || "").split(/\s+/).filter(Boolean).map((i) => document.getElementById(i));
  const name = (e) => {
    const by = byIds(e.getAttribute("aria-labelledby")).map((x) => x ? x.textContent : "").join(" ");
    const label = e.labels ? [...e.labels].map((l) => l.textContent).join(" ") : "";
    return (by || e.getAttribute("aria-label") || label || (/^(INPUT|SELECT)$/.test(e.tagName) ? "" : e.textContent) || e.title || "").trim();
  };

  // 3.1.1, 2.4.2, 1.4.4
  if (!document.documentElement.lang) say("language", null, "the page has no language");
  if (!document.title.trim()) say("title", null, "the page has no title");
  const viewport = document.querySelector("meta[name=viewport]");
  if (!viewport || /user-scalable\s*=\s*no|maximum-scale/.test(viewport.content)) say("zoom", viewport, "the page cannot be enlarged");

  // 1.3.1: landmarks and headings
  if (all("main").length !== 1) say("landmark", null, all("main").length + " main parts");
  if (all("h1").length !== 1) say("headings", null, all("h1").length + " headings h1");
  let level = 0;
  for (const h of all("h1,h2,h3,h4,h5,h6")) {
    const n = Number(h.tagName[1]);
    if (n > level + 1) say("headings", h, "h" + n + " after h" + level);
    if (!h.textContent.trim()) say("headings", h, "empty");
    level = n;
  }

  // 4.1.2, 2.4.4, 1.1.1: names
  for (const e of all("a[href],button,input,select,textarea,summary,[role=region],[role=img],[tabindex]")) if (!name(e)) say("name", e, "has no name");
  for (const e of all("svg,img")) if (e.getAttribute("role") !== "img" && e.getAttribute("aria-hidden") !== "true") say("picture", e, "is no image to a screen reader");
  for (const e of all("[aria-labelledby],[aria-describedby],[for]")) {
    const ids = (e.getAttribute("aria-labelledby") || "") + " " + (e.getAttribute("aria-describedby") || "") + " " + (e.getAttribute("for") || "");
    if (byIds(ids).includes(null)) say("reference", e, "refers to what is not there");
  }
  const ids = new Set();
  for (const e of all("[id]")) {
    if (ids.has(e.id)) say("id", e, "is there twice");
    ids.add(e.id);
  }
  for (const a of all("a[href^='#']")) if (!document.getElementById(a.hash.slice(1))) say("link", a, "leads nowhere");

  // 1.3.1: tables
  for (const t of all("table")) {
    if (!t.caption || !t.caption.textContent.trim()) say("table", t, "has no caption");
    for (const th of t.querySelectorAll("th")) if (!th.scope) say("table", th, "a heading without a scope");
    for (const r of t.tBodies[0] ? t.tBodies[0].rows : []) if (r.cells[0].tagName !== "TH") say("table", r, "a row without a heading");
    for (const r of t.tBodies[0] ? t.tBodies[0].rows : []) if (r.cells.length !== t.tHead.rows[0].cells.length) say("table", r, "a row of another length");
  }

  // 2.1.1, 2.4.3: keyboard
  for (const e of all("[tabindex]")) if (e.tabIndex > 0) say("order", e, "changes the order of the keyboard");
  for (const e of all("[aria-hidden=true]")) if (e.querySelector("a,button,input,select,[tabindex]")) say("hidden", e, "hides what the keyboard reaches");
  for (const e of all("*")) {
    const s = getComputedStyle(e);
    if (/(auto|scroll)/.test(s.overflowX) && e.scrollWidth > e.clientWidth + 1 && seen(e)) {
      if (e.tabIndex < 0) say("scrolling", e, "scrolls, and the keyboard cannot reach it");
      const hint = e.previousElementSibling;
      if (!hint || !hint.classList.contains("sideways") || !seen(hint)) say("scrolling", e, "scrolls by " + (e.scrollWidth - e.clientWidth) + " and does not say so at " + innerWidth + ":");
    }
  }

  // 1.4.10: no sideways scrolling of the page
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) {
    const wide = all("body *").filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll"))[0];
    say("overflow", wide, "the page is " + root.scrollWidth + " wide on a screen of " + innerWidth);
  }

  // 2.5.8: targets of 24 by 24; links in a text are excepted
  for (const e of all("button,input,select,summary")) {
    const r = e.getBoundingClientRect();
    if (seen(e) && (r.width < 23.5 || r.height < 23.5)) say("target", e, "is " + r.width.toFixed(0) + " by " + r.height.toFixed(0));
  }

  // 1.4.3: contrast of each text with what is behind it
  const parse = (c) => {
    const m = c.match(/rgba?\(([^)]+)\)/);
    if (!m) return null;
    const p = m[1].split(/[,/\s]+/).filter(Boolean).map(Number);
    return [p[0], p[1], p[2], p.length > 3 ? p[3] : 1];
  };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const behind = (e) => {
    const list = [];
    for (let x = e; x; x = x.parentElement) {
      const c = parse(getComputedStyle(x).backgroundColor);
      if (c && c[3] > 0) list.push(c);
      if (c && c[3] === 1) break;
    }
    return list.reduceRight((under, c) => over(c, under), [255, 255, 255, 1]);
  };
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((s, w, i) => {
    const v = c[i] / 255;
    return s + w * (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  }, 0);
  const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || !e || /^(SCRIPT|STYLE|NOSCRIPT|TITLE|DESC|title|desc)$/.test(e.tagName) || !seen(e)) continue;
    const s = getComputedStyle(e);
    const picture = e instanceof SVGElement;
    const ink = parse(picture ? s.fill : s.color);
    if (!ink) { say("contrast", e, "a colour that cannot be read: " + s.color); continue; }
    texts++;
    const ground = behind(picture ? e.closest("svg").parentElement : e);
    const size = parseFloat(s.fontSize), bold = Number(s.fontWeight) >= 700;
    const want = size >= 24 || bold && size >= 18.66 ? 3 : 4.5;
    const got = contrast(over(ink, ground), ground);
    if (got < want - 0.005) say("contrast", e, got.toFixed(2) + ", want " + want + ":");
  }
  if (texts < 10) say("contrast", null, "only " + texts + " texts were looked at");

  // Pictures keep within their frame
  for (const svg of all("svg")) {
    if (!seen(svg)) continue;
    const box = svg.viewBox.baseVal;
    for (const e of svg.querySelectorAll("line,rect,circle,path,text")) {
      const b = e.getBBox();
      if (b.x < -1 || b.y < -1 || b.x + b.width > box.width + 1 || b.y + b.height > box.height + 1) say("picture", e, "reaches out of its frame (" + [b.x, b.y, b.x + b.width, b.y + b.height].map((v) => v.toFixed(0)) + "):");
    }
  }
  return out;
})()
