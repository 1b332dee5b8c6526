package monitoring

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

// series has the samples of each minute, the oldest first. A minute without samples has no data.
type series [][]float64

// minutes is n minutes with the same samples.
func minutes(n int, samples ...float64) series { return slices.Repeat(series{samples}, n) }

// metrics are series by metric's name, or by the id of an expression's query.
type metrics map[string]series

// Each alarm fires on every one of the first series and stays quiet on every one of the second.
var alarmSeries = map[string]struct{ fires, quiet []metrics }{
	"api-5xx": {
		[]metrics{
			{"RequestCount": minutes(5, 100), "HTTPCode_Target_5XX_Count": minutes(5, 6)},
			{"RequestCount": minutes(5, 100), "HTTPCode_Target_5XX_Count": minutes(5, 3), "HTTPCode_ELB_5XX_Count": minutes(5, 3)},
			{"HTTPCode_ELB_5XX_Count": minutes(5, 1)},
		},
		[]metrics{
			{},
			{"RequestCount": minutes(5, 100), "HTTPCode_Target_5XX_Count": minutes(5, 4)},
			{"RequestCount": minutes(5, 100), "HTTPCode_Target_5XX_Count": minutes(4, 50)},
		},
	},
	"api-unhealthy": {[]metrics{{"UnHealthyHostCount": minutes(5, 0, 1)}}, []metrics{{"UnHealthyHostCount": append(minutes(4, 1), minutes(1, 0)...)}, {}}},
	"api-latency": {
		[]metrics{{"TargetResponseTime": minutes(10, 0.1, 1.5)}},
		[]metrics{{"TargetResponseTime": append(minutes(9, 1.5), minutes(1, 0.1)...)}, {}},
	},
	"edge-5xx": {
		[]metrics{{"5xxErrorRate": minutes(5, 6)}},
		[]metrics{{"5xxErrorRate": minutes(5, 5)}, {"5xxErrorRate": append(minutes(4, 100), minutes(1, 0)...)}, {}},
	},
	"edge-latency": {
		[]metrics{{"OriginLatency": minutes(10, 100, 2100)}},
		[]metrics{{"OriginLatency": append(minutes(9, 2100), minutes(1, 100)...)}, {}},
	},
	"api-cpu":           {[]metrics{{"CPUUtilization": minutes(15, 90, 86)}}, []metrics{{"CPUUtilization": minutes(15, 100, 60)}}},
	"api-credits":       {[]metrics{{"CPUCreditBalance": minutes(60, 0, 200)}}, []metrics{{"CPUCreditBalance": append(minutes(50, 0), minutes(10, 1)...)}, {}}},
	"database-credits":  {[]metrics{{"CPUCreditBalance": minutes(60, 0)}}, []metrics{{"CPUCreditBalance": minutes(60, 5)}, {}}},
	"database-cpu":      {[]metrics{{"CPUUtilization": minutes(15, 86)}}, []metrics{{"CPUUtilization": append(minutes(10, 100), minutes(5, 60)...)}}},
	"database-system":   {[]metrics{{"StatusCheckFailed_System": minutes(2, 1)}}, []metrics{{"StatusCheckFailed_System": append(minutes(1, 1), minutes(1, 0)...)}, {}}},
	"database-instance": {[]metrics{{"StatusCheckFailed_Instance": minutes(3, 1)}}, []metrics{{"StatusCheckFailed_Instance": append(minutes(2, 1), minutes(1, 0)...)}, {}}},
	"database-space":    {[]metrics{{"DataVolumeUsedPercent": minutes(15, 81)}}, []metrics{{"DataVolumeUsedPercent": minutes(15, 80)}, {}}},
	"database-unreachable": {
		[]metrics{{"DatabaseReachable": minutes(5, 0, 0, 0)}, {}},
		[]metrics{{"DatabaseReachable": minutes(5, 0, 1, 0)}, {"DatabaseReachable": append(minutes(4), minutes(1, 1)...)}},
	},
	"database-primary": {
		[]metrics{{"DatabasePrimary": minutes(3, 0, 0, 0)}},
		[]metrics{{"DatabasePrimary": minutes(3, 0, 1, 0)}, {"DatabasePrimary": append(minutes(2, 0), minutes(1, 1)...)}, {}},
	},
	"database-members": {
		[]metrics{{"DatabaseHealthyMembers": minutes(15, 2, 2)}},
		[]metrics{{"DatabaseHealthyMembers": minutes(15, 3, 3)}, {"DatabaseHealthyMembers": append(minutes(14, 2), minutes(1, 3)...)}, {}},
	},
	"database-lag": {
		[]metrics{{"ReplicationLagSeconds": minutes(5, 61)}},
		[]metrics{{"ReplicationLagSeconds": minutes(5, 60)}, {"ReplicationLagSeconds": append(minutes(4, 600), minutes(1, 0)...)}, {}},
	},
	"database-oplog": {
		[]metrics{{"OplogWindowHours": minutes(60, 23, 30)}},
		[]metrics{{"OplogWindowHours": minutes(60, 24)}, {"OplogWindowHours": append(minutes(55, 10), minutes(5, 24)...)}, {}},
	},
	"thumbnailer-errors": {[]metrics{{"Errors": minutes(1, 1)}}, []metrics{{"Errors": minutes(1, 0)}, {}}},
	"thumbnailer-failures": {
		[]metrics{{"ApproximateNumberOfMessagesVisible": minutes(5, 1)}},
		[]metrics{{"ApproximateNumberOfMessagesVisible": append(minutes(4, 1), minutes(1, 0)...)}, {}},
	},
	"service-demo-errors": {
		[]metrics{{"RequestCount": minutes(5, 100), "HTTPCode_Target_5XX_Count": minutes(5, 6)}},
		[]metrics{{}, {"RequestCount": minutes(5, 100), "HTTPCode_Target_5XX_Count": minutes(4, 50)}},
	},
	"service-demo-unhealthy": {[]metrics{{"UnHealthyHostCount": minutes(5, 0, 1)}}, []metrics{{"UnHealthyHostCount": append(minutes(4, 1), minutes(1, 0)...)}, {}}},
	"service-demo-down":      {[]metrics{{"HealthyHostCount": minutes(5, 0)}, {}}, []metrics{{"HealthyHostCount": append(minutes(4, 0), minutes(1, 1)...)}}},
	"nat":                    {[]metrics{{"us_east_1b": minutes(5, 2)}, {"us_east_1a": minutes(5, 1), "us_east_1b": minutes(5, 0)}}, []metrics{{"us_east_1b": minutes(4, 2)}, {}}},
}

func TestAlarmsFireOnWhatTheyAreFor(t *testing.T) {
	r := monitoring(t, Settings{})
	require.NoError(t, r.Err)
	tested := map[string]bool{}
	for _, a := range r.ByType("aws:cloudwatch/metricAlarm:MetricAlarm") {
		// The alarms of every database host have the same series.
		name := regexp.MustCompile(`-us-east-1[a-z]$`).ReplaceAllString(strings.TrimPrefix(a.Name, "monitoring-"), "")
		rows := alarmSeries[name]
		require.NotEmpty(t, rows.fires, "%s: no series fires it", name)
		require.NotEmpty(t, rows.quiet, "%s: no series leaves it quiet", name)
		for i, m := range rows.fires {
			assert.True(t, fires(t, a, m), "%s: series %d must fire it", name, i)
		}
		for i, m := range rows.quiet {
			assert.False(t, fires(t, a, m), "%s: series %d must not fire it", name, i)
		}
		tested[name] = true
	}
	assert.Len(t, tested, len(alarmSeries), "an alarm of the table is not registered")
}

// fires reports whether an alarm is in ALARM at the end of the series, by CloudWatch's rules (CloudWatch user guide, "Alarm
// evaluation" and "Configuring how alarms treat missing data"). Data from before the evaluation periods is not used.
func fires(t *testing.T, alarm *pulumitest.Resource, m metrics) bool {
	t.Helper()
	number := func(path string) float64 { return alarm.Input(path).NumberValue() }
	periods, breaching := int(number("evaluationPeriods")), 0
	least := periods
	if alarm.Input("datapointsToAlarm").IsNumber() {
		least = int(number("datapointsToAlarm"))
	}
	for ago := range periods {
		value, known := datapoint(t, alarm, m, ago)
		switch missing := alarm.Text("treatMissingData"); {
		case !known && missing == "breaching":
			breaching++
		case !known:
			require.Contains(t, []string{"notBreaching", "missing"}, missing)
		case alarm.Text("comparisonOperator") == "GreaterThanThreshold" && value > number("threshold"),
			alarm.Text("comparisonOperator") == "LessThanThreshold" && value < number("threshold"):
			breaching++
		}
	}
	return breaching >= least
}

// datapoint is the alarm's value of a period, counted back from the last one.
func datapoint(t *testing.T, alarm *pulumitest.Resource, m metrics, ago int) (float64, bool) {
	t.Helper()
	if !alarm.Input("metricQueries").IsArray() {
		statistic := alarm.Text("statistic") + alarm.Text("extendedStatistic")
		return aggregate(t, m[alarm.Text("metricName")], statistic, alarm.Input("period").NumberValue(), ago)
	}
	expression, values := "", map[string]float64{}
	for i := range alarm.Input("metricQueries").ArrayValue() {
		at := fmt.Sprintf("metricQueries[%d].", i)
		if alarm.Text(at+"expression") != "" {
			expression = alarm.Text(at + "expression")
			continue
		}
		id := alarm.Text(at + "id")
		samples, own := m[id]
		if !own {
			samples = m[alarm.Text(at+"metric.metricName")]
		}
		if v, known := aggregate(t, samples, alarm.Text(at+"metric.stat"), alarm.Input(at+"metric.period").NumberValue(), ago); known {
			values[id] = v
		}
	}
	parsed, err := parser.ParseExpr(expression)
	require.NoError(t, err, expression)
	v := calculate(t, parsed, values)
	return v, !math.IsNaN(v)
}

// aggregate is the statistic of a period's samples, false where it has none.
func aggregate(t *testing.T, s series, statistic string, seconds float64, ago int) (float64, bool) {
	t.Helper()
	length := int(seconds) / 60
	end := len(s) - ago*length
	samples := slices.Sorted(slices.Values(slices.Concat(s[max(0, end-length):max(0, end)]...)))
	if len(samples) == 0 {
		return 0, false
	}
	sum := 0.0
	for _, v := range samples {
		sum += v
	}
	switch statistic {
	case "Sum":
		return sum, true
	case "Average":
		return sum / float64(len(samples)), true
	case "Minimum":
		return samples[0], true
	case "Maximum":
		return samples[len(samples)-1], true
	}
	percent, err := strconv.ParseFloat(strings.TrimPrefix(statistic, "p"), 64)
	require.NoError(t, err, statistic)
	return samples[int(math.Ceil(percent/100*float64(len(samples))))-1], true
}

// calculate is the value of a metric expression, NaN where it has none. Go's grammar covers what the alarms use.
func calculate(t *testing.T, e ast.Expr, values map[string]float64) float64 {
	t.Helper()
	switch e := e.(type) {
	case *ast.ParenExpr:
		return calculate(t, e.X, values)
	case *ast.BasicLit:
		v, err := strconv.ParseFloat(e.Value, 64)
		require.NoError(t, err)
		return v
	case *ast.Ident:
		if v, known := values[e.Name]; known {
			return v
		}
		return math.NaN()
	case *ast.CallExpr:
		require.Equal(t, "FILL", e.Fun.(*ast.Ident).Name)
		if v := calculate(t, e.Args[0], values); !math.IsNaN(v) {
			return v
		}
		return calculate(t, e.Args[1], values)
	case *ast.BinaryExpr:
		x, y := calculate(t, e.X, values), calculate(t, e.Y, values)
		switch e.Op {
		case token.ADD:
			return x + y
		case token.MUL:
			return x * y
		case token.QUO:
			return x / y
		}
	}
	t.Fatalf("an expression that the evaluator does not know: %#v", e)
	return 0
}
