// Names for runs that nobody named: adjective-bird-number, like swift-finch-3.

/// Makes names of runs; they are labels, lower case, safe as a file's name.
public enum RunNames {
  /// The name of run `number` under `seed`: the same for the same two, and no two numbers share a name.
  public static func name(seed: UInt64, number: Int) -> String {
    // Neighbouring numbers must not get neighbouring words: the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
    var word = seed ^ (UInt64(bitPattern: Int64(number)) &* 0x9E37_79B9_7F4A_7C15)
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    word ^= word >> 31
    let adjective = adjectives[Int(word & 0xFFFF_FFFF) % adjectives.count]
    let bird = birds[Int(word >> 32) % birds.count]
    return "\(adjective)-\(bird)-\(number)"
  }

  /// A name for a run from outside a sweep, drawn from `generator`; the number is `number`, or one from 1 to 999.
  public static func fresh(number: Int? = nil, using generator: inout some RandomNumberGenerator) -> String {
    let seed = generator.next()
    return name(seed: seed, number: number ?? Int.random(in: 1...999, using: &generator))
  }

  public static func fresh(number: Int? = nil) -> String {
    var generator = SystemRandomNumberGenerator()
    return fresh(number: number, using: &generator)
  }

  static let adjectives = [
    "agile", "airy", "alert", "amber", "ample", "arctic", "azure", "bold", "brave", "breezy", "bright",
    "brisk",
    "calm", "candid", "cheery", "chirpy", "clear", "clever", "cobalt", "copper", "coral", "crimson", "crisp",
    "daring",
    "dawn", "deft", "dewy", "eager", "early", "earnest", "ebony", "elegant", "fair", "fleet", "fresh",
    "frosty",
    "gentle", "gilded", "glad", "golden", "graceful", "happy", "hardy", "hazel", "high", "honest", "indigo",
    "ivory",
    "jade", "jolly", "keen", "kind", "lively", "lofty", "lucid", "lunar", "mellow", "merry", "mild", "misty",
    "nimble", "noble", "olive", "patient", "pearly", "placid", "plucky", "polar", "proud", "quick", "quiet",
    "rapid",
    "ready", "rosy", "royal", "ruby", "rustic", "sable", "sage", "scarlet", "serene", "sharp", "silent",
    "silver",
    "sleek", "snowy", "solar", "spry", "steady", "sunny", "swift", "tawny", "tidal", "tranquil", "vivid",
    "warm",
    "windy", "wise", "witty", "zesty",
  ]

  static let birds = [
    "albatross", "auk", "avocet", "bittern", "blackbird", "bluethroat", "bunting", "bustard", "buzzard",
    "chaffinch",
    "chough", "coot", "cormorant", "crane", "crossbill", "cuckoo", "curlew", "dipper", "dove", "dunlin",
    "eagle",
    "egret", "eider", "falcon", "fieldfare", "finch", "flycatcher", "fulmar", "gannet", "godwit", "goldcrest",
    "goldeneye", "goshawk", "grebe", "greenfinch", "gull", "harrier", "hawk", "heron", "hobby", "hoopoe",
    "ibis",
    "jackdaw", "jay", "kestrel", "kingfisher", "kite", "kittiwake", "knot", "lapwing", "lark", "linnet",
    "magpie",
    "mallard", "martin", "martlet", "merlin", "moorhen", "nightingale", "nightjar", "nuthatch", "oriole",
    "osprey",
    "owl", "partridge", "pelican", "petrel", "pintail", "pipit", "plover", "ptarmigan", "puffin", "quail",
    "raven",
    "redstart", "redwing", "robin", "rook", "ruff", "sanderling", "sandpiper", "shearwater", "shrike",
    "siskin",
    "skua", "snipe", "sparrow", "spoonbill", "starling", "stonechat", "stork", "swallow", "swan", "swift",
    "teal",
    "tern", "thrush", "treecreeper", "turnstone", "twite", "wagtail", "warbler", "waxwing", "wheatear",
    "whimbrel",
    "whinchat", "wigeon", "woodcock", "woodlark", "woodpecker", "wren", "wryneck", "yellowhammer",
  ]
}
