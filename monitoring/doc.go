// Package monitoring builds the alarms, the topic that they notify, the dashboard with a graph for each alarm, and the
// budget. The table in alarms.go has every alarm.
//
// It refuses an invalid e-mail address and a negative budget.
package monitoring
