"""The second hint of every question: what to write or to compute, once the push of the first did not suffice."""

SECOND_HINTS = {
    "01": {
        "as_images": "Divide the bytes by 127.5 first: they then go from 0 to 2.",
        "even_logit": "The sigmoid is 1 / (1 + e^(-ℓ)), and e⁰ is 1.",
        "share_called_real": "sigmoid(ℓ) > 1/2 means ℓ > 0. The mean of a comparison is a share.",
        "outside_the_band": "Of 100 runs with nothing changed, how many are outside? And what did you change?",
        "game_value": "Two means: of -np.logaddexp(0, -real_logits) and of -np.logaddexp(0, fake_logits). Add them.",
        "classes_of": (
            "joint = log_densities + np.log(class_shares); take off joint.max(axis=1, keepdims=True); exp; divide by the "
            "row's sum."
        ),
        "fair_mix": "With p for row 0: p a + (1 - p) c = p b + (1 - p) d. Solve for p; either side is then the value.",
        "optimistic_move": "For x add rate * (2 * y - last_y). For y take off the same with x, from the old x.",
        "zero_sum_move": "Move by + rate * σ(ℓ) * slopes: the gradient of ln(1 - σ(ℓ)) is -σ(ℓ) times that of the logit.",
        "half_the_data": (
            "On [0, 1]: (1/2) / (1/2 + 1) = 1/3. Which half of the real numbers lies there, and where are all generated "
            "ones?"
        ),
        "steps_to_double": "1.01 to the power n has to reach 4. Take logarithms, and round up: half a step is none.",
        "never_seen": (
            "Follow the arrows of the figure backwards from the generator: what stands behind the discriminator only?"
        ),
        "near_the_value": "You measured V with your discriminator, and that is at most V with the best one.",
        "which_model": "Odd means improbable as an image, with any class: which of the models gives p of the image alone?",
    },
    "02": {
        "kl_between": (
            "Per latent: (squared distance + own variance) / other variance - 1 + other log variance - own; half the sum "
            "over axis -1."
        ),
        "area_under_curve": "The mean of (a > b) over the table of all pairs, plus half the mean of (a == b).",
        "vae_loss": "Both parts: sum over axis -1. Then add them, and take the mean over the batch.",
        "blank_loss": "An undecided pixel costs ln 2, and there are 28 · 28 of them.",
        "fitted_variance": "The parts' means lie 2.5 to either side of the common mean: what is their variance?",
        "shared_by_decoders": "B M⁻¹ M A = B A: same loss, other axes. What is the same for B and for B M⁻¹?",
    },
    "03": {
        "loss_of_a_yes_sayer": "On a real image -log 0.8; on a fake -log(1 - 0.8). Add the two.",
        "best_discriminator": "real / (real + fake) with shares, and np.where(total > 0, ..., 0.5) for empty bins.",
        "minimax_generator_loss": "log(1 - sigmoid(l)) = -softplus(l), so take the mean of that.",
        "generator_step": (
            "value_and_gradients takes a function and weights: give it generator.trainable_variables, then "
            "optimizer.apply."
        ),
        "answer_at_two_to_one": "a log y + b log(1 - y) is largest at y = a / (a + b), here with b = 2 a.",
        "fifty_percent": (
            "A perfect generator would give 50 %; so would a discriminator that never learned. Does the number tell them "
            "apart?"
        ),
    },
    "04": {
        "convolution_size": "'valid': (size - kernel) // stride + 1. 'same': size / stride, rounded up.",
        "transpose_convolve": (
            "(n - 1) * stride + k zeros; for each place: output[place * stride : place * stride + k] += value * w."
        ),
        "normalize": "Mean and variance over axis=(0, 1, 2), and epsilon stands under the root, beside the variance.",
        "transposed_parameters": "4 · 4 weights for each of 64 · 32 pairs, and one bias for each channel that goes out.",
        "wide_distance": "In one dimension: (2 - 1)². How many dimensions are there?",
        "one_of_each": "Ten points, one per class: how large is the covariance within a class?",
    },
    "05a": {
        "variety_and_doubt": (
            "entropy(p.mean(axis=0)) and the mean of entropy(p) over rows, with np.where(p > 0, p, 1) in the logarithm."
        ),
        "recall": (
            "Sort each generated point's distances to the generated ones: column k is the radius, column 0 is itself."
        ),
        "at_infinity": "np.polyfit(1 / counts, distances, 1) gives slope and intercept. You want the second.",
        "frechet": (
            "No root over the first term, @ for the product of covariances, minus twice the root's trace, n - 1 in the "
            "covariance."
        ),
        "missing_floor": "5/2 · 84 from the trace, and 1/2 for each of the 84² pairs. Divide by 2,000.",
        "half_copied": "Half of the samples count 1, the other half count 1/2.",
        "memorised": (
            "Frechet distance, recall and inception score are computed from samples and test images. Which number needs a "
            "third set?"
        ),
        "two_papers": "Does the distance of the same generator depend on the number of images?",
    },
    "05b": {
        "least_squares_losses": (
            "L_D: half the mean of (real - real_target)² plus half that of (fake - fake_target)². L_G: fakes to the real "
            "target."
        ),
        "gradient_ratio": "At D = 0.01: (1 - 0.01) / 0.01.",
        "interpolate": (
            "u = random.uniform(size=(len(real_images), 1, 1, 1)), and then u times real plus the rest times fake."
        ),
        "critic_loss": (
            "Minimise the negative: the mean of the fakes' scores minus the mean of the real ones', two separate means."
        ),
        "r1_penalty": "np.sum(gradient**2, axis=1) is the squared length of each gradient. Mean, then times gamma / 2.",
        "fastest_friction": "It is best where the root just becomes 0: γ²/4 = s², with s = 1/2.",
        "chance_of_four": "There are 8! / (4! 4!) orders. In how many of them do all A's come first?",
        "normalized_critic": (
            "Batch normalization takes mean and variance over the batch. Is a score then a matter of its own image alone?"
        ),
    },
    "05c": {
        "minibatch_deviation": "np.std over axis 0 first; then the mean of all that is left.",
        "smoothed_loss": (
            "For real logits: (1 - smoothing) * softplus(-d) + smoothing * softplus(d). The fakes' part stays as it was."
        ),
        "moving_average": "average = history[0]; for each further row: decay * average + (1 - decay) * row.",
        "stop_epoch": (
            "A smaller distance: remember its epoch, set the count to 0. Else count one more, and stop when it equals "
            "patience."
        ),
        "circle_radius": "0.5 / √(1 + 0.25).",
        "packed_variation": (
            "A real image is in a mode that the generator has with probability 1/2; three of them with 1/8."
        ),
        "maple": "Most groups of real points have no sample near them. Which name stands for that?",
        "pine": "How large is the gradient that reaches the generator: small, large or changing?",
        "larch": "A separation near 0 and a large gap: the discriminator prefers what is far from real.",
        "oak": "One player's weights change by exactly 0.0 in every epoch.",
    },
    "06": {
        "slerp": (
            "(sin((1 - t) θ) start + sin(t θ) end) / sin θ, with the cosine clipped to [-1, 1]; the straight line where "
            "sin θ is about 0."
        ),
        "pixel_normalization": "x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-8).",
        "equalized_scale": "np.prod(shape[:-1]) is the fan-in. The scale is the gain over its root.",
        "grown": (
            "alpha = min(seen / fade_images, 1); old.repeat(2, axis=1).repeat(2, axis=2); then the two shares 1 - alpha "
            "and alpha."
        ),
        "group_deviation": (
            "std over axis 0 (the members), mean over places and channels, and np.tile(..., size) gives each image its "
            "group's."
        ),
        "relative_step": "√(4608 / 2) = 48. How much is 0.001 · 48?",
        "growing_share": "Costs 1, 1/4, 1/16, 1/64 of a step at 32, each for the same number; divide by 4.",
        "jump": "With α = 0 the old path is used alone. Which of its layers was not there before?",
        "inverted": "Their norms are near √512 = 22.6. How long are the latents that were found here?",
    },
    "07": {
        "real_probability": (
            "log_z = np.logaddexp.reduce(logits, axis=1); the probability is np.exp(-np.logaddexp(0, -log_z))."
        ),
        "unlabelled_loss": "With ln Z for each image: the mean of logaddexp(0, -real) plus the mean of logaddexp(0, fake).",
        "feature_matching": (
            "Mean over axis 0 of each set, their difference, its absolute value, the mean over features: in this order."
        ),
        "draw_labels": (
            "For each class: generator.choice(indices, per_class, replace=False), with one generator made from the seed. "
            "Concatenate."
        ),
        "untrained_real": "Z = 10, and the probability is Z / (Z + 1).",
        "error_bar": "√(p (1 - p) / n) with p = 0.975 and n = 10,000, then in percentage points.",
        "labels_by_chance": "100 · 0.1 · 0.9 is the variance. Take its root.",
        "unfair": "Images, and updates. Which of the two would you hold fixed to learn about the other?",
        "bad_samples": (
            "Beside the data, all classes get low logits. What does that do to a boundary that runs through there?"
        ),
        "tuning": "100 labels trained the network. How many labels chose its learning rate?",
    },
    "08": {
        "label_maps": (
            "np.eye(10)[labels] has the shape (batch, 10): give it two axes in the middle, then np.tile or broadcasting."
        ),
        "projection_logit": "features @ weights + bias + np.sum(embedding[labels] * features, axis=1).",
        "class_walk": (
            "Keep the latents: np.tile(latents, (steps, 1)). t from np.linspace(0, 1, steps) weighs np.eye(10)[second]."
        ),
        "wrong_labels": (
            "Add a random number from 1 to 9 to each label, modulo 10; np.random.default_rng(seed).integers(1, 10, ...)."
        ),
        "class_coverage": (
            "Circles around the real points of the class; radius: column k of their sorted distances. Share with a "
            "generated one inside."
        ),
        "half_deaf": "0.6 obey. A tenth of the other 0.4 hit by luck.",
        "conditional_parameters": "10 rows of 100 numbers, since latents have 100, and nothing else.",
        "stamp": "Label accuracy looks at one image at a time. What does a classifier lack that saw few different ones?",
        "never_seen": (
            "Its pairs: real image with its own label, fake with the asked label. Is a real image with a wrong label "
            "among them?"
        ),
        "auxiliary": (
            "A perfect generator's samples would score as test images do, and no higher. Which images must be missing, "
            "then?"
        ),
    },
    "09": {
        "instance_norm": "Mean and variance over axis=(1, 2) with keepdims=True, epsilon under the root.",
        "cycle_loss": "np.abs(to_a(to_b(a)) - a).mean() + np.abs(to_b(to_a(b)) - b).mean().",
        "patch_size": "patch = 1; for kernel, stride in reversed(convolutions): patch = stride * (patch - 1) + kernel.",
        "pool_step": "seen[swap] = pool[places[swap]], and into the new pool at places[swap] go images[swap].",
        "falling_rate": "rate * np.minimum(1, 2 * (1 - step / steps)).",
        "unpaired_batch": (
            "random.integers(len(images_a), size=size), then the same for B with its own length; index the images."
        ),
        "there_and_back": "|F(G(x)) - x| is the same everywhere; so is |G(F(y)) - y|. Add the two.",
        "hue_pairings": "5 choices for the first hue, 4 for the second, and so on.",
        "logits_of_a_picture": "128 becomes 64, 32, and a stride of 1 keeps 32. One logit for each place of that map.",
        "perfect_return": "A drawing has no colour to see; yet the way back knows it. Where can it be?",
        "which_evidence": "Swap the partners of all images. Does either of the two numbers change?",
    },
    "09b": {
        "cut": (
            "reshape(rows, size, columns, size, 3).transpose(0, 2, 1, 3, 4), then (-1, size, size, 3); / 127.5 - 1; "
            "float32."
        ),
        "run_name": "'_'.join of f'{name}-{value}' over sorted items; then re.sub(r'[^A-Za-z0-9._-]', '-', text).",
        "nearest_training": (
            "training[:, :, ::-1] mirrors; the root of the sum of squares; argmin modulo len(training), and min."
        ),
        "fine_share": "Power where np.hypot(down[:, None], across) > limit, divided by all power, image by image.",
        "uneven_stripes": "The mean is 0.75 · 1 + 0.25 · (-1) = 0.5, and squares of ±1 are 1.",
        "block_parameters": (
            "5 · 5 · in · out + out for each convolution, and 4 · maps for each normalization. Add the four layers."
        ),
        "mixed_sharpness": "Var(mean of 4) = Var / 4.",
        "forgotten": "Adam keeps two averages and a count of steps. What are they when it is made anew?",
        "close_blur": "A blurred picture is near to training pictures. Is it farther from test pictures?",
    },
    "10": {
        "worst_loss": (
            "All pixels together lower the margin by epsilon * np.abs(weights).sum(). Softplus of minus what is left."
        ),
        "pgd_step": "np.sign of the gradients; clip to images ± epsilon (not changed ± epsilon); then clip to [0, 1].",
        "into_the_ball": "images + change * epsilon / np.maximum(distance, epsilon).",
        "still_right": "right.all(axis=(0, 1)) is True for images that withstand every run.",
        "share_interval": "(k + z²/2 ± z √(k (n - k) / n + z²/4)) / (n + z²).",
        "margin": "Copy the logits, put -np.inf in the label's place, take the largest: the label's logit minus that.",
        "in_their_units": "[-1, 1] is twice as long as [0, 1], so differences double: 8/255 becomes ...?",
        "sum_of_small": "784 pixels, each with |weight| times epsilon.",
        "random_instead": "The root of 784 is 28. A sum's deviation grows with the root of the number of terms.",
        "masked": "Where does the rounded curve have a slope? What is PGD's step there? And does Square need a slope?",
        "before_and_after": "What was changed between the rows besides the attack? Ask for the row with only that.",
        "transfer": "The attacker knew A and not B. What does secrecy of B's weights then protect?",
    },
    "11": {
        "split_originals": (
            "Permute np.unique(originals) with a generator from the seed, take round(share * number), then np.isin."
        ),
        "pair_loss": "np.mean(np.logaddexp(0, other - chosen)).",
        "balanced_accuracy": "For each class c: np.mean(answers[labels == c] == c). Then the mean of those.",
        "ascent_step": "dz/du = reach * (1 - np.tanh(u) ** 2). Add rate * slope * dz/du to u.",
        "paired_gain": "The half width is stats.t.ppf(0.975, n - 1) * np.std(differences, ddof=1) / np.sqrt(n).",
        "pooled_factor": "(3/4)² / 3 = 3/16: that comes on top of 1.",
        "best_agreement": "The true utility differs by 1: sigmoid(1).",
        "missing_control": (
            "There are new images, and the class is not rare any more. How would you have the second without the first?"
        ),
        "too_good": (
            "The score was learned on garments like those of the training set. Does it mean anything far from them?"
        ),
        "best_of_eight": (
            "Among eight equal numbers with noise, the largest is larger than their mean. What was it chosen on?"
        ),
    },
    "12": {
        "attended": (
            "scores = (x @ f) @ (x @ g).T; less each row's maximum; exp; divide by the row's sum; x + gamma * maps @ (x @ "
            "h) @ v."
        ),
        "normalized_kernel": (
            "matrix = kernel.reshape(-1, filters). In each step v = matrix @ u, v / its length, u = matrix.T @ v."
        ),
        "drawn_again": (
            "while (beyond := np.abs(latents) > threshold).any(): latents[beyond] = random.standard_normal(beyond.sum())."
        ),
        "adain": "Mean and deviation over axis=(1, 2) with keepdims=True; scale and shift need two axes in the middle.",
        "true_shares": "np.linalg.solve(confusion.T, called / called.sum()).",
        "norms_at_most": "4 / 2 = 2 windows along an axis, and so a factor of 2 for each of three convolutions.",
        "share_of_alarms": "95 right alarms, and 5 % of 9,900 false ones.",
        "one_point": "With another threshold A would have another precision and recall. Would it still be ahead?",
        "only_its_own": "If its images could not be told from real ones, no detector would reach 98 %.",
        "whose_bias": (
            "20 % in the data and for the judge, 15 % after training, 12 % after truncation. Who took which part?"
        ),
        "faces": (
            "b) and e) are the arguments to check against the sources. Then choose a side, with one reason and one "
            "objection."
        ),
        "weights": "b) is contradicted by this chapter's detector, f) by published methods. Two are left for each side.",
        "labelling": "Can a mark survive cropping and compression (a)? And read Article 50 of the AI Act (e).",
        "balance": "b) and f) take shares in the data for more than they are. The others speak for one side each.",
    },
}
