// Command thumbnailer is the Lambda function (provided.al2023) that makes the renditions of uploaded images; see package
// thumbnailer. It has no settings except AWS's own.
//
// It needs 1024 MB of memory. A 12-megapixel JPEG needs less than 200 MiB, but a progressive JPEG of images.MaxPixels
// needs 12 bytes per pixel for its coefficients alone. Lambda provides a full CPU from 1769 MB.
package main

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cinema-database/app/internal/thumbnailer"
)

// memoryLimit makes the garbage of one image be collected before the next one needs memory. The largest image needs about
// 550 MiB.
const memoryLimit = 700 << 20

func main() {
	debug.SetMemoryLimit(memoryLimit)
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Error("thumbnailer: AWS configuration", "error", err)
		os.Exit(1)
	}
	client := s3.NewFromConfig(settings, func(o *s3.Options) {
		// Do not log that an object has no checksum.
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	handler := &thumbnailer.Thumbnailer{S3: client, Log: log}
	lambda.Start(handler.Handle)
}
