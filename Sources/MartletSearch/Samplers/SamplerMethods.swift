// The methods there are.

import MartletModel

<<<<<<< HEAD
private let samplers: [any Sampler.Type] = [RandomSampler.self, TPESampler.self]
=======
private let samplers: [any Sampler.Type] = [
  RandomSampler.self, GridSampler.self, SobolSampler.self, PointsSampler.self,
]
>>>>>>> f94fb4aa311d8714d26f0dfd5317d038453fc0f5

/// The methods a search knows.
public let samplerMethods: [String] = samplers.map { $0.method }

/// - Throws: `SearchError.unknownMethod`.
func samplerType(of method: String) throws(SearchError) -> any Sampler.Type {
  guard let sampler = samplers.first(where: { $0.method == method }) else {
    throw .unknownMethod(method, nearest: nearest(to: method, in: samplerMethods))
  }
  return sampler
}
