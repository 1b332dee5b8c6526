// Package monitoring builds the alarms, the topic that they notify, the dashboard with a graph for each alarm, and the
// budget. The table in alarms.go holds every alarm.
//
// It refuses an e-mail address or a budget that is not valid.
package monitoring
