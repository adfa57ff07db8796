// The search of the site, in place of the theme's worker: it ranks pages as `antiphon.cli.ranking` does, by its weights.
let sections, places, words, wordsOf, weights, enough, none;

function read({ items, ranking }) {
  ({ enough, places } = ranking);
  none = Math.max(...places) + 1;
  sections = [];  // of each page; those without a page are what to show when no page answers a question
  items.forEach((item, id) => (sections[item.page ?? none] ??= []).push({ ...item, id }));
  weights = new Map(Object.entries(ranking.weights));
  const common = new Set(ranking.common.split(" ")), endings = ranking.endings.split(" ");
  const stem = word => {
    const ending = endings.find(each => word.endsWith(each) && word.length - each.length >= 3) ?? "";
    const rest = word.slice(0, word.length - ending.length);
    return /^(ings?|ed)$/.test(ending) && /..([^ls])\1$/.test(rest) ? rest.slice(0, -1) : rest;
  };
  const phrases = Object.entries(ranking.phrases).map(([each, word]) => [new RegExp(`\\b${each}\\b`, "g"), word]);
  const synonyms = new Map(ranking.synonyms.split(" ").map(pair => pair.split(":")));
  const word = /[a-z0-9]+(_[a-z0-9]+)*/g;
  wordsOf = question => words(question.toLowerCase().replace(word, found => synonyms.get(found) ?? found));
  const joined = text => phrases.reduce((all, [each, to]) => all.replace(each, to), text.toLowerCase());
  words = text => (joined(text).match(word) ?? []).flatMap(found => {
    const parts = found.split("_");
    return [...(parts.length > 1 ? [parts.join("")] : []), ...parts.filter(each => !common.has(each)).map(stem)];
  });
}

function ranked(wanted) {
  const scores = new Map(), shares = new Map();
  let all = 0;
  for (const word of wanted) {
    const pages = having(word), found = [...pages.values()];
    const count = found.reduce((sum, weight) => sum + weight, 0) / Math.max(...found, 1e-9);
    const rarity = Math.log(1 + (places.length - count + 0.5) / (count + 0.5));
    all += rarity;
    for (const [page, weight] of pages) {
      scores.set(page, (scores.get(page) ?? 0) + rarity * weight);
      shares.set(page, (shares.get(page) ?? 0) + rarity);
    }
  }
  const found = [...scores.keys()].sort((one, other) => scores.get(other) - scores.get(one) || one - other);
  const best = new Map(found.map(each => [places[each], each]).reverse());  // a page may be ranked in parts
  const firsts = found.filter(each => best.get(places[each]) === each);
  const isAnswered = Math.max(0, ...firsts.slice(0, 3).map(each => shares.get(each))) >= enough * all;
  return { pages: firsts.map(each => places[each]), isAnswered };
}

const pairs = flat => new Map(flat.flatMap((each, at) => (at % 2 ? [] : [[each, flat[at + 1]]])));

function having(word) {
  if (weights.has(word) || word.length < 3) return pairs(weights.get(word) ?? []);
  const known = [...weights.keys()], pages = new Map();
  let near = known.filter(each => each.startsWith(word));
  if (!near.length && word.length > 4) near = known.filter(each => differInOne(each, word));
  for (const each of near)
    for (const [page, weight] of pairs(weights.get(each))) pages.set(page, Math.max(weight, pages.get(page) ?? 0));
  return pages;
}

function differInOne(one, other) {
  while (one && one[0] === other[0]) [one, other] = [one.slice(1), other.slice(1)];
  while (one && one.at(-1) === other.at(-1)) [one, other] = [one.slice(0, -1), other.slice(0, -1)];
  return Math.max(one.length, other.length) === 1 || (one.length === 2 && one === [...other].reverse().join(""));
}

// The section with most of the words, as the theme shows it: with the words that it is to highlight.
function shown(page, wanted) {
  const shared = ({ title, text }) => {
    const all = new Set(words(`${title} ${text.replace(/<[^>]*>/g, " ")}`));
    return wanted.filter(each => all.has(each)).length;
  };
  const [, { id, ...parts }] = sections[page].map(each => [shared(each), each]).reduce((a, b) => (b[0] > a[0] ? b : a));
  const matches = ["title", "text"].map(field => ({ id, field, value: { highlight: { ranges: ranges(parts[field], wanted) } } }));
  return { id, matches };
}

// Whether a word is one of a question, or begins with what has been typed so far.
const isMeant = (word, wanted) => word === wanted || (!weights.has(wanted) && word.startsWith(wanted));

function ranges(html, wanted) {
  return [...html.matchAll(/<[^>]*>|&\w+;|\w+/g)]
    .filter(([found]) => !/^[<&]/.test(found) && words(found).some(each => wanted.some(one => isMeant(each, one))))
    .map(({ index, 0: { length } }) => ({ start: index, end: index + length, value: length }));
}

function answer(input) {
  const wanted = [...new Set(wordsOf(typeof input === "string" ? input : ""))];
  const { pages, isAnswered } = ranked(wanted);
  const found = pages.filter(page => sections[page]).slice(0, 10).map(page => shown(page, wanted));
  const isMissing = wanted.length > 0 && !isAnswered;
  const items = isMissing ? [...sections[none].map(({ id }) => ({ id, matches: [] })), ...found] : found;
  return { items, query: { values: [] }, pagination: { total: isMissing ? 0 : found.length } };
}

onmessage = ({ data: { type, data } }) => {
  if (type === 0) read(data);
  postMessage(type === 0 ? { type: 1 } : { type: 3, data: answer(data.input) });
};
