"""Written: reports with the JavaScript versions of the threshold rules that a run passes."""

from functools import partial

from pipeline import reporting
from pipeline.contours import RULES, rule_scripts
from pipeline.reporting import single_file

write_report = partial(reporting.write_report, rule_scripts=rule_scripts(RULES))
write_single_file = partial(single_file.write_single_file, rule_scripts=rule_scripts(RULES))
