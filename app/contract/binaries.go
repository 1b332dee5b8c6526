package contract

import "slices"

// The binaries of a release. Each is the main package app/cmd/<name>.
const (
	// Cinema is the API server, and the operators' commands.
	Cinema = "cinema"
	// CinemaDB prepares the database hosts.
	CinemaDB = "cinema-db"
	// Mirror is the Lambda function that copies the MongoDB package into the artifacts bucket.
	Mirror = "mirror"
	// Thumbnailer is the Lambda function that makes thumbnails.
	Thumbnailer = "thumbnailer"
)

// Form is the form of a binary's artifact in the artifacts bucket.
type Form string

// The forms.
const (
	// Executable is the binary itself, for instances.
	Executable Form = "executable"
	// LambdaZip is a zip file for Lambda with one entry, bootstrap.
	LambdaZip Form = "lambda-zip"
)

// Binary is one binary of a release.
type Binary struct {
	Name string
	Form Form
}

// Binaries lists all binaries of a release, sorted by name.
var Binaries = []Binary{{Cinema, Executable}, {CinemaDB, Executable}, {Mirror, LambdaZip}, {Thumbnailer, LambdaZip}}

// Architectures lists the architectures that binaries are built for, with Go's names. The operating system is Linux.
var Architectures = []string{"amd64", "arm64"}

// Names returns the binaries' names, sorted.
func Names() []string {
	names := make([]string, len(Binaries))
	for i, b := range Binaries {
		names[i] = b.Name
	}
	return names
}

// FormOf returns the form of the binary with that name, and whether there is one.
func FormOf(name string) (Form, bool) {
	i := slices.IndexFunc(Binaries, func(b Binary) bool { return b.Name == name })
	if i < 0 {
		return "", false
	}
	return Binaries[i].Form, true
}
