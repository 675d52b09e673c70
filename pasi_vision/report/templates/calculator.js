// PASI and BSA of one visit. CONSTANTS comes from the package, so that page and package cannot drift apart.
"use strict";

function reached(value, thresholds) {
  return thresholds.filter((threshold) => value >= threshold).length;
}

function areaScore(percent, policy) {
  return reached(percent, CONSTANTS.area_thresholds[policy]);
}

function continuousArea(percent) {
  const knots = CONSTANTS.continuous_percent;
  for (let step = 1; step < knots.length; step += 1) {
    if (percent <= knots[step]) return step - 1 + (percent - knots[step - 1]) / (knots[step] - knots[step - 1]);
  }
  return 6;
}

function rounded(value) {
  return Math.round((value + Number.EPSILON) * 1e6) / 1e6;
}

// visit: {region: {area_percent or area_score, erythema, induration, scaling}}; a value that is not known is null or absent.
function score(visit, policy = "half_open", table = "pasi") {
  let tenths = 0, continuous = 0, bsa = 0, percents = true;
  const missing = [];
  for (const region of CONSTANTS.regions) {
    const row = visit[region.name] || {};
    const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);
    const hasPercent = known(row.area_percent), hasScore = known(row.area_score);
    const area = hasScore ? row.area_score : hasPercent ? areaScore(row.area_percent, policy) : null;
    const grades = CONSTANTS.signs.map((sign) => row[sign]);
    if (area === null || (area !== 0 && !grades.every(known))) {
      missing.push(region.label);
      continue;
    }
    const off = [...grades.filter(known).map((g) => g < 0 || g > 4), hasPercent && (row.area_percent < 0 || row.area_percent > 100), area < 0 || area > 6];
    if (off.some(Boolean)) return {pasi: null, pasi_continuous: null, bsa_percent: null, reason: region.label + ": off the scale."};
    const sum = (list) => list.reduce((total, value) => total + value, 0);
    const filled = grades.map((grade) => (known(grade) ? grade : 0));
    tenths += region.weight_tenths * area * sum(filled.map((grade) => reached(grade, CONSTANTS.grade_thresholds)));
    if (hasPercent) {
      continuous += (region.weight_tenths / 10) * continuousArea(row.area_percent) * sum(filled);
      bsa += (CONSTANTS.bsa_tables[table][region.name] / 100) * row.area_percent;
    } else percents = false;
  }
  if (missing.length) return {pasi: null, pasi_continuous: null, bsa_percent: null, reason: "Not known: " + missing.join(", ") + "."};
  return {pasi: tenths / 10, pasi_continuous: percents ? rounded(continuous) : null, bsa_percent: percents ? rounded(bsa) : null, reason: ""};
}

// PASI-k in whole tenths: floating point misjudges scores that lie exactly on the threshold.
function responds(baseline, followUp, k) {
  const before = Math.round(baseline * 10), after = Math.round(followUp * 10);
  return before > 0 ? 100 * (before - after) >= k * before : null;
}
