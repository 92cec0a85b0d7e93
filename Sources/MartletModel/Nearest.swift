// "Did you mean …?": the nearest of some names by edit distance.

/// The name in `candidates` that is most like `name`, when one is like it at all.
///
/// Damerau–Levenshtein distance (optimal string alignment), ignoring case; at most a third of the name may differ.
public func nearest(to name: String, in candidates: some Sequence<String>) -> String? {
  nearest(1, to: name, in: candidates).first
}

/// The `count` names in `candidates` that are most like `name`, the nearest first, each once: as many as are like it at all.
public func nearest(_ count: Int, to name: String, in candidates: some Sequence<String>) -> [String] {
  let typed = letters(name)
  var best: [(name: String, distance: Int)] = []
  for candidate in candidates {
    let letters = letters(candidate)
    var bound = max(1, max(typed.count, letters.count) / 3)
    // Whoever is no nearer than the last of these is not among them.
    if best.count == count, let last = best.last { bound = min(bound, last.distance - 1) }
    guard let distance = editDistance(typed, letters, upTo: bound),
      !best.contains(where: { $0.name == candidate })
    else { continue }
    let place = best.firstIndex { $0.distance > distance } ?? best.count
    best.insert((candidate, distance), at: place)
    if best.count > count { best.removeLast() }
  }
  return best.map(\.name)
}

private func letters(_ text: String) -> [UInt32] { text.lowercased().unicodeScalars.map(\.value) }

/// Nil: it is above `bound`. Takes the longer one's length times twice the bound at most: only cells within the bound of
/// the diagonal can belong to a way that short (E. Ukkonen, "Algorithms for Approximate String Matching", 1985).
private func editDistance(_ a: [UInt32], _ b: [UInt32], upTo bound: Int) -> Int? {
  guard bound >= 0, abs(a.count - b.count) <= bound else { return nil }
  guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
  let tooFar = bound + 1
  // Rows i − 2, i − 1 and i; what lies outside of the band is too far.
  var older = [Int](repeating: tooFar, count: b.count + 1)
  var old = (0...b.count).map { min($0, tooFar) }
  var new = older
  var leastBefore = 0
  for i in 1...a.count {
    let low = max(1, i - bound)
    let high = min(b.count, i + bound)
    guard low <= high else { return nil }
    new[low - 1] = low == 1 ? min(i, tooFar) : tooFar
    var least = new[low - 1]
    for j in low...high {
      var distance = min(
        min(old[j], new[j - 1]) + 1, old[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        distance = min(distance, older[j - 2] + 1)
      }
      new[j] = min(distance, tooFar)
      least = min(least, new[j])
    }
    if high < b.count { new[high + 1] = tooFar }
    // A swap may still take up the row before.
    guard min(least, leastBefore) <= bound else { return nil }
    leastBefore = least
    (older, old, new) = (old, new, older)
  }
  return old[b.count] <= bound ? old[b.count] : nil
}
