// Package seed holds the sample catalogue: real films with their real directors and years.
package seed
