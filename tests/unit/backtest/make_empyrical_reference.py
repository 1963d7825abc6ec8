"""Writes empyrical_reference.json beside itself: figures of three curves by empyrical-reloaded 0.7.1.

empyrical-reloaded cannot be installed beside this project (0.7.1 wants peewee below 3.17.4, 0.5.9 fails with
numpy 2), so it runs in an environment of its own:

    python -m venv /tmp/empyrical
    /tmp/empyrical/bin/pip install empyrical-reloaded==0.7.1 numpy==2.4.6 pandas==3.1.1
    /tmp/empyrical/bin/python tests/unit/backtest/make_empyrical_reference.py
"""

import json
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd

DAYS = 242


def figures(returns: pd.Series, benchmark: pd.Series) -> dict[str, float]:
    alpha, beta = empyrical.alpha_beta(returns, benchmark, annualization=DAYS)
    return {
        "total_return": empyrical.cum_returns_final(returns),
        "annual_return": empyrical.annual_return(returns, annualization=DAYS),
        "volatility": empyrical.annual_volatility(returns, annualization=DAYS),
        "sharpe": empyrical.sharpe_ratio(returns, annualization=DAYS),
        "sortino": empyrical.sortino_ratio(returns, annualization=DAYS),
        "calmar": empyrical.calmar_ratio(returns, annualization=DAYS),
        "max_drawdown": -empyrical.max_drawdown(returns),
        "alpha": alpha,
        "beta": beta,
    }


def main() -> None:
    draw = np.random.default_rng(20_240_102)
    market = np.round(draw.normal(0.0002, 0.012, 300), 6)
    curves = {
        "follows": np.round(0.6 * market + draw.normal(0.0004, 0.006, 300), 6),
        "loses": np.round(-0.3 * market + draw.normal(-0.001, 0.01, 300), 6),
        "jumps": np.round(draw.standard_t(3, 300) * 0.008, 6),
    }
    cases = {
        name: {
            "returns": [float(each) for each in values],
            "figures": {k: float(v) for k, v in figures(pd.Series(values), pd.Series(market)).items()},
        }
        for name, values in curves.items()
    }
    versions = f"numpy {np.__version__}, pandas {pd.__version__}"
    content = {
        "made_with": f"empyrical-reloaded {empyrical.__version__}, {versions}",
        "benchmark": [float(each) for each in market],
        "cases": cases,
    }
    target = Path(__file__).with_name("empyrical_reference.json")
    target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
