"use strict";
// The formulas of reports/plan, for any load. A test holds both to the same results.
const plan = (() => {
  const scaled = (key, x, k) => {
    const f = { key, value: null, low: null, high: null, missing: x.missing || "", extrapolated: false };
    if (!x.est) {
      f.missing = f.missing || "too few windows were measured and not saturated";
      return f;
    }
    f.value = x.est.value * k;
    f.extrapolated = !!x.extrapolated;
    if (x.est.low !== undefined && x.est.low !== null) {
      f.low = Math.max(0, x.est.low * k);
      f.high = x.est.high * k;
    }
    return f;
  };

  // Mean over blocks with Student's interval, as an absolute figure: never below zero.
  const absolute = (data, xs) => {
    const n = xs.length;
    if (n === 0) return null;
    const mean = xs.reduce((a, b) => a + b, 0) / n;
    if (!Number.isFinite(mean)) return null;
    const e = { value: mean };
    if (n >= data.minBlocks) {
      const sd = Math.sqrt(xs.reduce((a, x) => a + (x - mean) * (x - mean), 0) / (n - 1));
      const w = data.quantiles[n - 1] * sd / Math.sqrt(n);
      if (Number.isFinite(w)) {
        e.low = Math.max(0, mean - w);
        e.high = mean + w;
      }
    }
    return e;
  };

  const shapes = { "1/λ": (hz) => 1 / hz, "ln λ": Math.log, "λ": (hz) => hz };

  // What a curve says at a rate; beyond its ends it stays as it was there.
  const at = (data, c, hz) => {
    hz = Math.min(Math.max(hz, c.low), c.high);
    const xs = [];
    for (const [a, b] of c.lines || []) {
      const y = a + b * shapes[c.shape](hz);
      if (Number.isFinite(y)) xs.push(Math.max(y, 0));
    }
    for (const list of c.points || []) {
      for (let i = 0; i < list.length; i++) {
        const [x, y] = list[i];
        if (x === hz) { xs.push(y); break; }
        if (x > hz && i > 0) {
          const [px, py] = list[i - 1];
          const [from, to] = c.busy ? [px * py, x * y] : [py, y];
          const z = from + (to - from) * (hz - px) / (x - px);
          xs.push(c.busy ? z / hz : z);
          break;
        }
      }
    }
    return absolute(data, xs);
  };

  // The highest rate at which a curve is at most limit, and at every lower one; of picks
  // the value, or a bound, of an estimate.
  const highest = (data, c, limit, of) => {
    const steps = 400;
    let best = 0;
    for (let i = 0; i <= steps; i++) {
      const hz = c.low + (c.high - c.low) * i / steps;
      const e = at(data, c, hz);
      if (!e || !(of(e) <= limit)) break;
      best = hz;
    }
    return best;
  };

  const read = (data, r, hz) => {
    if (r.curve) return { est: at(data, r.curve, hz), missing: r.missing };
    if (r.fixed) return { est: r.fixed, missing: r.missing, extrapolated: !r.inside };
    return { est: null, missing: r.missing };
  };

  // Why figures of a mixed load do not hold for the share of verifies that is asked for; ""
  // where they do. Of a model or a side of it.
  const apart = (m, ask) => m.verifyShare < 1 && ask.verifyShare !== m.verifyShare
    ? Number((100 * m.verifyShare).toPrecision(3)) + " % of the calls that were measured were verifies, and their figures hold for that share; set it, measure with bench --verify-share " + Number(ask.verifyShare.toPrecision(3)) + ", or plan beyond what was measured"
    : "";

  // One side for an ask {rps, verifyShare, p99Ms, headroom, instancesFail, sessions,
  // vcpuPrice, extrapolate}: {figures, unsure} or {error}. unsure: at no rate is the whole
  // interval of p99 within what is asked for.
  const side = (data, m, ask) => {
    if (m.refused) return { error: m.refused };
    if (apart(m, ask) && !ask.extrapolate) return { error: apart(m, ask) };
    const figures = [];
    const get = (key) => figures.find((f) => f.key === key);
    let error = "";
    const add = (f) => {
      if (f.extrapolated && !ask.extrapolate && f.key !== "disk") {
        error = error || data.names[f.key].name + " would be extrapolated";
      }
      figures.push(f);
    };
    const load = ask.rps * ask.verifyShare;
    const free = 1 - ask.headroom;
    let usable = free * m.limit.value, sure = Infinity, perhaps = Infinity;
    if (ask.p99Ms > 0) {
      if (!m.p99) return { error: "p99 needs a load curve: run coreproof bench --sweep" };
      const hz = highest(data, m.p99, ask.p99Ms, (e) => e.value);
      if (hz <= 0) return { error: "at the lowest rate that was measured p99 was above it already" };
      usable = Math.min(usable, hz);
      sure = highest(data, m.p99, ask.p99Ms, (e) => e.high ?? Infinity);
      perhaps = highest(data, m.p99, ask.p99Ms, (e) => e.low ?? e.value);
    }
    if (!(usable > 0)) return { error: "what a core can serve is not above zero" };
    const count = (rate) => Math.ceil(load / rate - 1e-9);
    const units = count(usable);
    const unitHz = load / units;
    const fail = ask.instancesFail;
    const n = { key: "instances", value: (units + fail) * m.per, low: null, high: null, missing: "", extrapolated: unitHz < m.low || unitHz > m.high || !!m.limitExtrapolated };
    if (m.limit.low !== undefined && m.limit.low > 0) {
      n.low = (count(Math.min(free * m.limit.high, perhaps)) + fail) * m.per;
      const rate = Math.min(usable, free * m.limit.low, sure);
      if (rate > 0) n.high = (count(rate) + fail) * m.per;
      else n.low = null;
    }
    add(n);
    add({ key: "instance-rate", value: unitHz / m.per, low: null, high: null, missing: "", extrapolated: false });

    const core = read(data, m.core, unitHz);
    if (m.core.curve) core.extrapolated = unitHz < m.core.curve.low || unitHz > m.core.curve.high;
    add(scaled("core-cpu", core, 1));
    add(scaled("core-vcpu-busy", core, load / 1e6));
    if (m.vcpus > 0) {
      const each = m.vcpus / m.per;
      const times = (x) => x === null ? null : x * each;
      add({ key: "core-vcpu", value: n.value * each, low: times(n.low), high: times(n.high), missing: "", extrapolated: n.extrapolated });
    } else {
      add(scaled("core-vcpu", core, load / 1e6 * ((units + fail) / units) / free));
    }

    const known = m.statements !== undefined;
    add(known ? { key: "statements", value: load * m.statements, low: null, high: null, missing: "", extrapolated: false }
      : { key: "statements", value: null, low: null, high: null, missing: "statements were not counted: the database could not be seen", extrapolated: false });
    const db = read(data, m.database, load);
    if (m.database.curve) db.extrapolated = load < m.database.curve.low || load > m.database.curve.high;
    add(scaled("database-cpu", db, 1));
    add(scaled("database-vcpu", db, load / 1e6 / free));

    const c = { key: "connections", value: null, low: null, high: null, missing: "", extrapolated: false };
    if (!m.hold) c.missing = m.noHold;
    else if (m.hold.value === 0) c.value = 0;
    else {
      const need = (ms) => Math.max(Math.ceil(load * ms / 1000 / free), n.value);
      c.value = need(m.hold.value);
      if (m.hold.low !== undefined) {
        c.low = need(Math.max(m.hold.low, 0));
        c.high = need(m.hold.high);
      }
      c.extrapolated = load > m.high;
    }
    add(c);

    let p99 = { est: null, missing: "there is no load curve (bench --sweep)" };
    if (m.p99) p99 = { est: at(data, m.p99, unitHz), extrapolated: unitHz < m.p99.low || unitHz > m.p99.high };
    add(scaled("p99", p99, 1));

    if (m.memory === undefined) add({ key: "core-memory", value: null, low: null, high: null, missing: "the cores' memory was not read", extrapolated: false });
    else {
      add({ key: "core-memory", value: n.value * m.memory, low: null, high: null, missing: "", extrapolated: false });
    }
    if (ask.sessions > 0) {
      add(m.session === undefined ? { key: "disk", value: null, low: null, high: null, missing: m.space, extrapolated: false }
        : { key: "disk", value: m.session * ask.sessions, low: null, high: null, missing: "", extrapolated: ask.sessions > m.rows });
    }

    const a = get("core-vcpu"), z = get("database-vcpu");
    const total = { key: "total-vcpu", value: null, low: null, high: null, missing: "", extrapolated: a.extrapolated || z.extrapolated };
    if (a.value === null) total.missing = "core vCPU is missing: " + a.missing;
    else if (z.value === null) total.missing = "database vCPU is missing, so it is more than that of the core: " + z.missing;
    else {
      total.value = a.value + z.value;
      if (a.low !== null && z.low !== null) {
        total.low = a.low + z.low;
        total.high = a.high + z.high;
      }
    }
    add(total);
    if (ask.vcpuPrice > 0) {
      const k = ask.vcpuPrice * data.hoursAMonth;
      const times = (x) => x === null ? null : x * k;
      add({ key: "price", value: times(total.value), low: times(total.low), high: times(total.high), missing: total.missing, extrapolated: total.extrapolated });
    }
    return error ? { error, extrapolated: true } : { figures, unsure: sure <= 0 };
  };

  // What the flag adds; bounds are those of the difference of two intervals.
  const added = (off, on) => {
    const out = [];
    for (const key of ["instances", "core-vcpu", "database-vcpu", "total-vcpu", "statements", "connections", "core-memory", "price"]) {
      const a = off.find((f) => f.key === key), z = on.find((f) => f.key === key);
      if (!a || !z) continue;
      const f = { key, value: null, low: null, high: null, missing: a.value === null ? a.missing : z.missing, extrapolated: a.extrapolated || z.extrapolated };
      if (a.value !== null && z.value !== null) {
        f.missing = "";
        f.value = z.value - a.value;
        if (a.low !== null && z.low !== null && Number.isFinite(a.high) && Number.isFinite(z.high)) {
          f.low = z.low - a.high;
          f.high = z.high - a.low;
        }
      }
      out.push(f);
    }
    return out;
  };
  return { side, added, apart };
})();
