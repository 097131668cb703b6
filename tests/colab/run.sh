# In Colab's own image: the package replaces nothing that is there, and every chapter runs.
set -e
mkdir -p /tmp/ran
python3 -m pip freeze --exclude ppo-helpers | sort > /tmp/before.txt
python3 -m pip install -q .
python3 -m pip freeze --exclude ppo-helpers | sort > /tmp/after.txt
replaced=$(comm -23 /tmp/before.txt /tmp/after.txt)
test -z "$replaced" || { echo "replaced: $replaced"; exit 1; }
for chapter in chapters/*.ipynb; do
  python3 -m jupyter nbconvert --to notebook --execute --output-dir /tmp/ran "$chapter"
done
