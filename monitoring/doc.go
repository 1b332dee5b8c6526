// Package monitoring builds the alarms, the rules for events that no metric shows, the topic that both notify, the dashboard
// with a graph for each alarm, and the budget. The table in alarms.go has every alarm, that in events.go every event.
//
// It refuses an invalid e-mail address and a negative budget.
package monitoring
