// The version that the program, the API and the OpenAPI document tell.

/// Martlet's version, after semver.org.
package let martletVersion = "0.1.0"
