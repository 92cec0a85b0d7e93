// The plain binary answer of series reads.

public import MartletModel
import OrderedCollections

/// Series as arrays that a program can use where they lie.
///
/// `MARTLETS`, `u32` version 1, `u32` length of the header, the header, then arrays of 8-byte little-endian words. The header is
/// JSON, padded with spaces so that the arrays begin at a multiple of 8:
/// `{"series": [{run, key, kind, count, n, arrays: [{name, type, offset}]}]}`. `kind` is `raw` or `buckets`, `count` the points in the window,
/// `n` the length of every array, `type` is `i64` or `f64`, `offset` counts bytes from the first array. The names are those of the JSON
/// answer: `steps`, `times`; `values`, or `first`, `last`, `min`, `max`, `mean`, `counts`, `nan_counts`; where asked for `ema` and `x`.
public enum SeriesFrame {
  public static let mediaType = "application/vnd.martlet.series"

  private static let magic = Array("MARTLETS".utf8)

  private enum Words {
    case integers([Int64])
    case doubles([Double])

    var type: String {
      switch self {
      case .integers: "i64"
      case .doubles: "f64"
      }
    }
  }

  // MARK: - Encoding

  public static func encode(_ series: [Series]) -> [UInt8] {
    var offset = 0
    let items = series.map { series -> JSONValue in
      let arrays = arrays(of: series).map { name, words -> JSONValue in
        defer { offset += 8 * series.steps.count }
        return ["name": .string(name), "type": .string(words.type), "offset": JSONValue(offset)]
      }
      return [
        "run": .string(series.run.rawValue), "key": .string(series.key), "kind": .string(series.kind),
        "count": JSONValue(series.count), "n": JSONValue(series.steps.count), "arrays": .array(arrays),
      ]
    }
    var header = (["series": .array(items)] as JSONValue).bytes()
    header += Array(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    var out = magic
    out.reserveCapacity(16 + header.count + offset)
    out.append(word: UInt32(1))
    out.append(word: UInt32(header.count))
    out += header
    for one in series {
      for (_, words) in arrays(of: one) {
        switch words {
        case .integers(let words): out.append(words: words)
        case .doubles(let words): out.append(doubles: words)
        }
      }
    }
    return out
  }

  private static func arrays(of series: Series) -> [(name: String, words: Words)] {
    var arrays: [(String, Words)] = [("steps", .integers(series.steps)), ("times", .integers(series.times))]
    switch series.points {
    case .raw(let values): arrays.append(("values", .doubles(values)))
    case .buckets(let first, let last, let min, let max, let mean, let counts, let nanCounts):
      arrays += [
        ("first", .doubles(first)), ("last", .doubles(last)), ("min", .doubles(min)), ("max", .doubles(max)),
        ("mean", .doubles(mean)), ("counts", .integers(counts)), ("nan_counts", .integers(nanCounts)),
      ]
    }
    if let averages = series.averages { arrays.append(("ema", .doubles(averages))) }
    if let xs = series.xs { arrays.append(("x", .doubles(xs))) }
    return arrays
  }

  // MARK: - Decoding

  /// - Throws: `Problem.badRequest` when the bytes are no such frame.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws(Problem) -> [Series] {
    do {
      return try read(bytes)
    } catch {
      throw Problem(
        .badRequest, "The answer is no frame of series.", hint: "Are client and server of one version?")
    }
  }

  private static func read(_ bytes: UnsafeRawBufferPointer) throws(Problem) -> [Series] {
    var reader = ByteReader(bytes, of: "A frame of series")
    guard try reader.slice(8).elementsEqual(magic), try reader.u32() == 1 else { throw reader.damage }
    let header = try reader.slice(Int(try reader.u32()))
    let words = try reader.slice(reader.left)
    guard let json = try? JSONValue.parse(header), let items = json["series"]?.array else {
      throw reader.damage
    }
    var series: [Series] = []
    for item in items { series.append(try one(item, words)) }
    return series
  }

  private static func one(_ item: JSONValue, _ words: UnsafeRawBufferPointer) throws(Problem) -> Series {
    let damage = ByteReader(words, of: "A frame of series").damage
    guard let run = item["run"]?.string.flatMap(PublicID.init(rawValue:)), let key = item["key"]?.string,
      let count = item["count"]?.int.flatMap({ Int(exactly: $0) }),
      let length = item["n"]?.int.flatMap({ Int(exactly: $0) }), length >= 0,
      let arrays = item["arrays"]?.array
    else { throw damage }
    var integers: [String: [Int64]] = [:]
    var doubles: [String: [Double]] = [:]
    for array in arrays {
      guard let name = array["name"]?.string, let offset = array["offset"]?.int.flatMap({ Int(exactly: $0) }),
        (0...words.count).contains(offset)
      else { throw damage }
      var reader = ByteReader(UnsafeRawBufferPointer(rebasing: words[offset...]), of: "A frame of series")
      switch array["type"]?.string {
      case "i64": integers[name] = try reader.words(length)
      case "f64": doubles[name] = try reader.doubles(length)
      default: throw damage
      }
    }
    guard let steps = integers["steps"], let times = integers["times"] else { throw damage }
    let points: Series.Points
    if item["kind"] == "raw", let values = doubles["values"] {
      points = .raw(values: values)
    } else if let first = doubles["first"], let last = doubles["last"], let min = doubles["min"],
      let max = doubles["max"], let mean = doubles["mean"], let counts = integers["counts"],
      let nanCounts = integers["nan_counts"], item["kind"] == "buckets"
    {
      points = .buckets(
        first: first, last: last, min: min, max: max, mean: mean, counts: counts, nanCounts: nanCounts)
    } else {
      throw damage
    }
    return Series(
      run: run, key: key, count: count, steps: steps, times: times, points: points, averages: doubles["ema"],
      xs: doubles["x"])
  }
}

extension Series {
  fileprivate var kind: String {
    switch points {
    case .raw: "raw"
    case .buckets: "buckets"
    }
  }
}
