import subprocess
import sys

LOAD = "import sys; from agent.act.iptables import legacy; legacy._library()"


def test_python_iptables_comes_without_the_packages_that_build_it() -> None:
    loaded = f"{LOAD}; print('iptc' in sys.modules, 'setuptools' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True)

    assert said.stdout == b"True False\n"
