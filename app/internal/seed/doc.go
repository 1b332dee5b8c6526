// Package seed contains the sample catalogue: real movies with their directors and years.
package seed
