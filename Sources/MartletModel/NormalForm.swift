// Names that are equal to a person, and in Swift, are equal in the database.

import Foundation

extension String {
  /// This text in Unicode's normalization form C.
  ///
  /// Swift takes a letter and its accent for equal to the accented letter, SQLite compares bytes: what is looked up or
  /// unique by name is stored in one form.
  package var inNormalForm: String {
    utf8.allSatisfy { $0 < 0x80 } ? self : precomposedStringWithCanonicalMapping
  }
}

extension RunPatch {
  /// The same with every text that runs are found by in its normal form.
  package var inNormalForm: RunPatch {
    var patch = self
    (patch.name, patch.notes, patch.host) = (name?.inNormalForm, notes?.inNormalForm, host?.inNormalForm)
    (patch.group, patch.jobType) = (group?.inNormalForm, jobType?.inNormalForm)
    (patch.tags, patch.addTags) = (tags?.map(\.inNormalForm), addTags?.map(\.inNormalForm))
    patch.removeTags = removeTags?.map(\.inNormalForm)
    return patch
  }
}
