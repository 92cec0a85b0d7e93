// A command line given as one text, split as a shell would split it.

/// The words of `line`: split at spaces, with single quotes, double quotes and backslashes as in a POSIX shell.
///
/// Nothing is expanded. Nil when a quote has no end.
func shellWords(_ line: String) -> [String]? {
  var words: [String] = []
  var word: String?
  var quote: Character?
  var characters = line.makeIterator()
  while let character = characters.next() {
    switch (quote, character) {
    case ("'", "'"), ("\"", "\""): quote = nil
    case ("'", _): word = (word ?? "") + String(character)
    case (_, "\\"):
      guard let next = characters.next() else { return nil }
      // Within double quotes a backslash only escapes what would have a meaning there.
      let isPlain = quote != nil && !["\"", "\\", "$", "`"].contains(next)
      word = (word ?? "") + (isPlain ? "\\" : "") + String(next)
    case ("\"", _): word = (word ?? "") + String(character)
    case (_, "'"), (_, "\""):
      quote = character
      word = word ?? ""
    case (_, _) where character.isWhitespace:
      if let word { words.append(word) }
      word = nil
    default: word = (word ?? "") + String(character)
    }
  }
  guard quote == nil else { return nil }
  if let word { words.append(word) }
  return words
}
