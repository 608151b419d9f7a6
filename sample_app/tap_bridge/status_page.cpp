#include "status_page.hpp"

namespace tuxarium::bridge {

const char* const kStatusPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";

const char* const kStatusPage = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Tuxarium bridge</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 76em; padding: 0 1em; }
  h1 { font-size: 1.3em; }
  p.numbers { display: flex; flex-wrap: wrap; gap: .4em 2em; }
  .wide { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: .3em .8em .3em 0; border-bottom: 1px solid #8884; white-space: nowrap; }
  td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
  #trouble { color: #c22; }
</style>
<h1>Tuxarium bridge <span id="bridge"></span></h1>
<p class="numbers" id="numbers">loading</p>
<div class="wide"><table>
  <thead><tr><th>Client<th>From<th>Token<th>Device<th>MAC address<th>Connected<th class="n">From it<th class="n">To it<th class="n">Frames up, down<th class="n">Dropped up, down</tr></thead>
  <tbody id="clients"></tbody>
</table></div>
<p id="trouble"></p>
<noscript>This page needs JavaScript. The same figures are at /metrics.</noscript>
<script>
  const at = id => document.getElementById(id);
  let before = null;
  function span(s) {
    s = Math.floor(s);
    const parts = [[86400, 'd'], [3600, 'h'], [60, 'min']];
    for (const [size, name] of parts) if (s >= size) return Math.floor(s / size) + ' ' + name;
    return s + ' s';
  }
  function bits(n) {
    for (const unit of ['bit/s', 'kbit/s', 'Mbit/s']) { if (n < 1000) return n.toFixed(n < 10 && unit != 'bit/s' ? 1 : 0) + ' ' + unit; n /= 1000; }
    return n.toFixed(1) + ' Gbit/s';
  }
  function cell(row, text, numeric) {
    const td = row.insertCell();
    td.textContent = text;
    if (numeric) td.className = 'n';
  }
  const dropped = c => Object.values(c.dropped).reduce((a, b) => a + b, 0);
  function show(now) {
    const old = new Map((before ? before.clients : []).map(c => [c.id, c]));
    const rate = (c, key) => {
      const o = old.get(c.id);
      return o ? bits(8 * (c[key] - o[key]) / Math.max(.1, now.seconds - before.seconds)) : '';
    };
    at('bridge').textContent = now.bridge;
    at('numbers').replaceChildren(...[
      now.clients.length + ' of ' + now.max_clients + ' clients', 'up for ' + span(now.seconds), now.connected + ' connections so far',
      now.refused + ' refused', now.total.frames_up + ' frames from clients', now.total.frames_down + ' to them', dropped(now.total) + ' from and ' + now.total.missed_down + ' to clients dropped',
    ].map(text => Object.assign(document.createElement('span'), {textContent: text})));
    const rows = document.createElement('tbody');
    for (const c of now.clients) {
      const row = rows.insertRow();
      cell(row, c.id); cell(row, c.peer); cell(row, c.token); cell(row, c.port); cell(row, c.mac); cell(row, span(c.seconds));
      cell(row, rate(c, 'bytes_up'), true); cell(row, rate(c, 'bytes_down'), true);
      cell(row, c.frames_up + ', ' + c.frames_down, true); cell(row, dropped(c) + ', ' + c.missed_down, true);
      row.title = JSON.stringify(c.dropped);
    }
    rows.id = 'clients';
    at('clients').replaceWith(rows);
    before = now;
  }
  async function refresh() {
    try {
      const answer = await fetch('status.json', {cache: 'no-store'});
      if (!answer.ok) throw new Error(await answer.text());
      show(await answer.json());
      at('trouble').textContent = '';
    } catch (problem) {
      at('trouble').textContent = 'No answer from the bridge: ' + problem.message;
    }
    setTimeout(refresh, 2000);
  }
  refresh();
</script>
</html>
)html";

}  // namespace tuxarium::bridge
