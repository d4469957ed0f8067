// What is on the page follows from what is set on it.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const controls = ["rps", "headroom", "p99", "fail", "share", "sessions", "price"];

  const decimals = (x) => x === 0 ? 0 : Math.max(0, Math.min(9, 2 - Math.floor(Math.log10(Math.abs(x)))));
  const number = (x) => {
    if (!Number.isFinite(x)) return "without bound";
    const d = x === Math.trunc(x) ? 0 : decimals(x);
    return x.toLocaleString("en-US", { minimumFractionDigits: d, maximumFractionDigits: d }).replace("-", "−");
  };
  const size = (x) => {
    for (const [unit, k] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) if (Math.abs(x) >= k) return number(x / k) + " " + unit;
    return number(Math.round(x)) + " B";
  };
  const instances = (n) => n === 1 ? "1 instance" : number(n) + " instances";
  const show = (f, x) => data.names[f.key].unit === "bytes" ? size(x) : number(x);

  const ask = (model) => {
    const v = (id) => Number($(id).value);
    // Per cent and back may differ from what was measured in the last digit.
    const share = Math.abs(v("share") / 100 - model.verifyShare) < 1e-9 ? model.verifyShare : v("share") / 100;
    return { rps: v("rps"), headroom: v("headroom") / 100, p99Ms: v("p99"), instancesFail: v("fail"), verifyShare: share, sessions: v("sessions"), vcpuPrice: v("price"), extrapolate: $("extrapolate").checked };
  };
  // The same limits as the command line has: the field that breaks one first, and why.
  const wrong = (a, model) => [
    ["rps", a.rps > 0 && a.rps <= 1e12, "calls per second: must be above zero"],
    ["headroom", a.headroom >= 0 && a.headroom < 1, "headroom: from 0 to below 100 %"],
    ["p99", a.p99Ms >= 0, "p99: must not be negative"],
    ["fail", a.instancesFail >= 0 && Number.isInteger(a.instancesFail), "instances that may fail: a whole number, not negative"],
    ["share", a.verifyShare > 0 && a.verifyShare <= 1, "share of verifies: above 0, at most 100 %"],
    ["sessions", a.sessions >= 0 && Number.isInteger(a.sessions), "sessions: a whole number, not negative"],
    ["price", a.vcpuPrice >= 0, "price: must not be negative"],
    ["share", a.extrapolate || !plan.apart(model, a), plan.apart(model, a)],
  ].find(([, fine]) => !fine) || ["", true, ""];

  const element = (name, text, className) => {
    const e = document.createElement(name);
    if (text !== undefined) e.textContent = text;
    if (className) e.className = className;
    return e;
  };
  const cell = (f, signed) => {
    const td = element("td", undefined, "n");
    if (!f) { td.textContent = "–"; return td; }
    if (f.value === null) {
      td.append("missing", element("small", f.missing));
      td.className = "";
      return td;
    }
    td.append((signed && f.value > 0 ? "+" : "") + show(f, f.value));
    if (f.low !== null) td.append(element("small", show(f, f.low) + " to " + show(f, f.high)));
    if (f.extrapolated) {
      td.classList.add("beyond");
      td.append(element("small", "extrapolated", "unsure"));
    }
    return td;
  };

  let shown = "";
  const draw = () => {
    const model = data.models[Number($("case").value)], a = ask(model), [field, , bad] = wrong(a, model);
    for (const id of controls) $(id).setAttribute("aria-invalid", String(id === field));
    const results = bad ? [] : model.sides.map((m) => plan.side(data, m, a));
    const refused = bad ? [bad] : results.map((r, i) => r.error ? "flag " + model.sides[i].flag + ": " + r.error : "").filter(Boolean);
    const status = $("status");
    let text = "";
    if (bad) text = "Not planned: " + bad + ".";
    else {
      const parts = model.sides.map((m, i) => results[i].error ? "" : "flag " + m.flag + " " + instances(results[i].figures.find((f) => f.key === "instances").value)).filter(Boolean);
      text = parts.length ? "Planned: " + parts.join(", ") + ". " : "";
      if (parts.length && plan.apart(model, a)) text += "The share of verifies is beyond what was measured. ";
      if (refused.length) text += "Refused: " + refused.join("; ") + (results.some((r) => r.extrapolated) ? ". Measured were " + model.sides.map((m) => "flag " + m.flag + " " + number(m.low / m.per) + " to " + number(m.high / m.per)).join(", ") + " calls a second an instance" : "") + ".";
      else if (results.some((r) => r.figures.some((f) => f.extrapolated))) text += "Some figures lie beyond what was measured and are marked.";
    }
    if (text !== shown) { status.textContent = text; shown = text; }
    status.className = bad || refused.length ? "note bad" : text.includes("beyond") ? "note" : "note fine";

    const body = $("figures").tBodies[0];
    body.replaceChildren();
    const both = results.length === 2 && results.every((r) => r.figures);
    const adds = both ? plan.added(results[0].figures, results[1].figures) : [];
    const some = results.find((r) => r.figures);
    for (const f of some ? some.figures : []) {
      const tr = element("tr"), name = data.names[f.key], th = element("th", name.name + (name.unit && name.unit !== "bytes" ? ", " + name.unit : ""));
      th.scope = "row";
      tr.append(th);
      for (const r of results) tr.append(r.figures ? cell(r.figures.find((x) => x.key === f.key)) : element("td", "refused"));
      tr.append(cell(adds.find((x) => x.key === f.key), true));
      body.append(tr);
    }
    $("figures").hidden = !some;
    curve(model, a, bad);
    const notes = $("notes");
    const unsure = model.sides.filter((m, i) => results[i] && results[i].unsure).map((m) => "flag " + m.flag + ": at no rate that was measured is the whole interval of p99 within " + number(a.p99Ms) + " ms, so more instances may not keep it either");
    const many = model.another !== undefined && a.sessions > model.another ? [number(a.sessions) + " sessions are many times as many as were in the table, and what a lookup among them costs was not measured (bench --rows)"] : [];
    const other = !bad && plan.apart(model, a) ? [Number((100 * (1 - a.verifyShare)).toPrecision(3)) + " % of the calls asked for are no verifies, another share than was measured: extrapolated"] : [];
    notes.replaceChildren(...model.notes.concat(unsure, many, other, model.verifyShare === 1 && a.verifyShare < 1 ? [number(a.rps * (1 - a.verifyShare)) + " calls a second that are no verifies are in no figure: their cost was not measured"] : []).map((n) => element("li", n)));
  };

  // vCPUs to provide over the load, up to twice the load that is set; what would be
  // extrapolated is dotted, what is refused is not drawn.
  const svg = (name, attributes, text) => {
    const e = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const k in attributes) e.setAttribute(k, attributes[k]);
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const curve = (model, a, bad) => {
    const g = $("plot");
    g.replaceChildren();
    $("figure").toggleAttribute("hidden", !!bad);
    if (bad) return;
    const steps = 120, most = 2 * a.rps, lines = [];
    let top = 0;
    for (const m of model.sides) {
      const line = { flag: m.flag, points: [] };
      for (let i = 1; i <= steps; i++) {
        const rps = most * i / steps;
        const r = plan.side(data, m, { ...a, rps, extrapolate: true });
        if (r.error) continue;
        const f = r.figures.find((x) => x.key === "total-vcpu"), c = r.figures.find((x) => x.key === "core-vcpu"), n = r.figures.find((x) => x.key === "instances");
        const use = f.value !== null ? f : c;
        if (use.value === null) continue;
        line.total = use === f;
        line.points.push({ rps, y: use.value, beyond: use.extrapolated || n.extrapolated || !!plan.apart(model, a) });
        top = Math.max(top, use.value);
      }
      lines.push(line);
    }
    if (!(top > 0)) { $("figure").setAttribute("hidden", ""); return; }
    const x = (v) => 52 + v / most * 376, y = (v) => 250 - v / (top * 1.05) * 238;
    const ticks = (high) => {
      let step = 10 ** Math.floor(Math.log10(high / 4));
      for (const k of [5, 2]) if (high / (step * k) >= 3) { step *= k; break; }
      const out = [];
      const d = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
      for (let k = 0; k * step <= high * (1 + 1e-9); k++) out.push([k * step, (k * step).toLocaleString("en-US", { minimumFractionDigits: d, maximumFractionDigits: d })]);
      return out;
    };
    for (const [v, label] of ticks(top * 1.05)) {
      g.append(svg("line", { class: "grid", x1: 52, x2: 428, y1: y(v), y2: y(v) }));
      if (y(v) > 26) g.append(svg("text", { class: "tick", "text-anchor": "end", x: 46, y: y(v) + 4 }, label));
    }
    for (const [v, label] of ticks(most)) g.append(svg("text", { class: "tick", "text-anchor": "middle", x: Math.min(x(v), 414), y: 266 }, label));
    g.append(svg("text", { class: "tick", x: 2, y: 11 }, "vCPU"), svg("text", { class: "tick", "text-anchor": "middle", x: 240, y: 283 }, "calls per second, all instances"));
    g.append(svg("line", { class: "axis", x1: 52, x2: 428, y1: 250, y2: 250 }));
    g.append(svg("line", { class: "axis", x1: x(a.rps), x2: x(a.rps), y1: 250, y2: 12 }));
    const words = [];
    for (const l of lines) {
      for (let i = 0, from = 0; i <= l.points.length; i++) {
        if (i < l.points.length && l.points[i].beyond === l.points[from].beyond) continue;
        const part = l.points.slice(from, i + 1);
        if (part.length) g.append(svg("path", { class: "curve " + l.flag + (part[0].beyond ? " beyond" : ""), d: part.map((p, k) => (k ? "L" : "M") + x(p.rps).toFixed(1) + " " + y(p.y).toFixed(1)).join(" ") }));
        from = i;
        if (i === l.points.length) break;
      }
      const last = l.points[l.points.length - 1];
      if (last) words.push("flag " + l.flag + ": " + number(last.y) + " vCPU at " + number(last.rps) + " calls a second" + (l.total ? "" : ", the core's alone"));
    }
    $("plot-desc").textContent = words.join("; ") + ". The table has the figures at the load that is set.";
    const alone = lines.filter((l) => l.points.length && !l.total).map((l) => l.flag);
    $("alone").textContent = alone.length ? " Flag " + alone.join(" and ") + ": the core's alone, since the database's is missing." : "";
  };

  const both = (id) => {
    const field = $(id), slider = $(id + "-slider");
    field.addEventListener("input", () => { slider.value = field.value; draw(); });
    slider.addEventListener("input", () => { field.value = slider.value; draw(); });
  };
  for (const id of controls) if ($(id + "-slider")) both(id); else $(id).addEventListener("input", draw);
  $("case").addEventListener("change", draw);
  $("extrapolate").addEventListener("change", draw);
  document.documentElement.classList.add("live");
  draw();
})();
