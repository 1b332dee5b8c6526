package containers

import (
	"slices"
	"strings"
)

// SecretNames returns the names of the SSM parameters, with their slash, and of the secrets of Secrets Manager that services
// name, each once and sorted.
func (s Services) SecretNames() (parameters, secrets []string) {
	for _, service := range s {
		for _, value := range service.Secrets {
			if parameter, ok := strings.CutPrefix(value, inSSM); ok {
				parameters = append(parameters, parameter)
			} else {
				secrets = append(secrets, strings.TrimPrefix(value, inSecretsManager))
			}
		}
	}
	slices.Sort(parameters)
	slices.Sort(secrets)
	return slices.Compact(parameters), slices.Compact(secrets)
}
